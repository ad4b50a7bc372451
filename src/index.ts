/** Public page API. */
export { FLAG_ERROR_CODES, FlagError, type FlagErrorCode } from './core/errors.ts';
export type {
  EvaluationReason,
  EvaluationRequest,
  EvaluationResult,
} from './core/evaluate/evaluate.ts';
export type {
  ChangeType,
  Constraint,
  Distribution,
  Flag,
  FlagFilter,
  Segment,
  Tag,
  Variant,
} from './core/model.ts';
export type { FlagChange } from './core/state/flag-change.ts';
export type { FlagSelector } from './core/state/selector.ts';
export type { ConnectionStatus, FlagStatus } from './core/state/status.ts';
export { createFlagClient } from './page/create-flag-client.ts';
export type { FlagClient, FlagClientOptions, Unsubscribe } from './page/flag-client.ts';
export {
  type RegisterServiceWorkerOptions,
  registerServiceWorker,
  type ServiceWorkerHandle,
} from './page/register-service-worker.ts';
export type { ServiceWorkerStatus } from './page/service-worker-status.ts';
export { type FlagChangeListener, FlagentSSEClient } from './standalone/flagent-sse-client.ts';
export type { FlagentSSEClientOptions, TokenSource } from './standalone/sse-client-options.ts';
