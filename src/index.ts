/** Public page API. */
export { FLAG_ERROR_CODES, FlagError, type FlagErrorCode } from './core/errors.ts';
export {
  type AttachmentReader,
  type AttachmentReason,
  type AttachmentValue,
  readAttachment,
} from './core/evaluate/attachment.ts';
export { describeStep } from './core/evaluate/describe-step.ts';
export type {
  Entity,
  EvaluationReason,
  EvaluationRequest,
  EvaluationResult,
  EvaluationStep,
} from './core/evaluate/evaluation.ts';
export type { PatternProblem } from './core/evaluate/pattern-contract.ts';
export type { Attachment, FlagKey, FlagTypes, VariantKey } from './core/flag-types.ts';
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
export type { EvaluationBatch, FlagClient, FlagClientOptions, Unsubscribe } from './page/flag-client.ts';
export {
  type RegisterServiceWorkerOptions,
  registerServiceWorker,
  type ServiceWorkerHandle,
} from './page/register-service-worker.ts';
export type { ServiceWorkerStatus } from './page/service-worker-status.ts';
export type { TokenSource } from './standalone/client-options.ts';
export { type FlagChangeListener, FlagentSSEClient } from './standalone/flagent-sse-client.ts';
export {
  type EvaluationListener,
  type EvaluationQuestion,
  FlagentWebSocketClient,
  type FlagListener,
} from './standalone/flagent-websocket-client.ts';
export type { FlagentSSEClientOptions } from './standalone/sse-client-options.ts';
export type { FlagentWebSocketClientOptions } from './standalone/websocket-client-options.ts';
