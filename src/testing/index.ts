/** For tests of applications that use flagent-offline: a server, a network that breaks on command, a server that misbehaves by script, and flags. Node only. */

export { answers } from './answers.ts';
export { type FaultProxy, type FaultProxyCounts, startFaultProxy } from './fault-proxy.ts';
export type { CutHow } from './faulty-connection.ts';
export type { TrafficShape } from './faulty-pipe.ts';
export { buildFlag, buildFlags } from './flags.ts';
export type { AnswerEnd, BodyPiece, ScriptedAnswer } from './scripted-answer.ts';
export {
  type AnswerScript,
  type RecordedRequest,
  type ScriptedServer,
  startScriptedServer,
} from './scripted-server.ts';
export { byeEvent, changeEvent, heartbeat, snapshotEvent, splitText } from './stream-events.ts';
export { startTestServer, type TestServer } from './test-server.ts';
