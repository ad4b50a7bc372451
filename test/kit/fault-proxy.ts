/** The fault proxy, as users get it from `flagent-offline/testing`. */
export { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts';
