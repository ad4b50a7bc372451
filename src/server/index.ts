/** The server as a library: `createFlagentServer`, its options, and the contract for other homes of flags. */
export type { FlagentServerOptions } from './config.ts';
export type { FlagRecord } from './record.ts';
export { createFlagentServer, type FlagentServer } from './server.ts';
export type { Catalogue, FlagSource, Plan, RecordedChange, Write } from './sources/contract.ts';
export { openSqliteSource, type SqliteSourceOptions } from './sources/sqlite.ts';
export type { WebSocketConfig } from './websocket-config.ts';
