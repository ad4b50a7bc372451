/** The shared worker of the demo: the package's own, and a way to make it crash. */
import 'flagent-offline/shared-worker';
import { CRASH, CRASH_CHANNEL } from './page/crash-signal.ts';

declare const self: SharedWorkerGlobalScope;

const channel = new BroadcastChannel(CRASH_CHANNEL);
channel.onmessage = ({ data }) => {
  // Ends without a word to anybody, as a crash does.
  if (data === CRASH) self.close();
};
