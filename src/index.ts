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
export type { ConnectionStatus, FlagStatus } from './core/state/status.ts';
export { createFlagClient } from './page/create-flag-client.ts';
export type {
  FlagChange,
  FlagClient,
  FlagClientOptions,
  FlagSelector,
  Unsubscribe,
} from './page/flag-client.ts';
export {
  type RegisterServiceWorkerOptions,
  registerServiceWorker,
  type ServiceWorkerHandle,
} from './page/register-service-worker.ts';
export type { ServiceWorkerStatus } from './page/service-worker-status.ts';
