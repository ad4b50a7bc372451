/** The host's end of one tab's port: Comlink calls in, calls to the tab's sink out, and the lock that tells when the tab has died. */
import { expose, type Remote, wrap } from 'comlink';
import { HUB_PROTOCOL } from '../core/protocol/hub-protocol.ts';
import { scopeOf, tabLockName } from '../core/state/scope.ts';
import type { Answer, AttachRequest, HubRemote, TabSink } from '../hub/contract.ts';
import type { Hub } from '../hub/hub.ts';
import { whenLockIsFree } from '../system/locks.ts';
import type { HubHost } from './hub-host.ts';

/** One attachment; a port can hold several, one for each client of the page. */
interface Attachment {
  readonly hub: Hub;
  /** Kept, because a Comlink proxy that is garbage-collected drops its calls. */
  readonly sink: Remote<TabSink>;
  end(): void;
}

/** The returned function ends all attachments of the port: afterwards nothing of them is waited for. */
export function serveTab(port: MessagePort, host: HubHost): () => void {
  const attachments = new Map<string, Attachment>();

  const end = (tabId: string): void => {
    attachments.get(tabId)?.end();
    attachments.delete(tabId);
  };

  const attach = async (request: AttachRequest, sinkPort: MessagePort): Promise<void> => {
    const hub = await host.hubFor(request);
    const sink = wrap<TabSink>(sinkPort);
    const { tabId } = request;
    const lockName = tabLockName(scopeOf(request.namespace, request.url), tabId);
    const stopWatching = whenLockIsFree(host.tabLocks, lockName, () => end(tabId));
    end(tabId);
    attachments.set(tabId, {
      hub,
      sink,
      end: () => {
        stopWatching();
        hub.detach(tabId);
        // Comlink does not close ports that it has released.
        sinkPort.close();
      },
    });
    hub.attach({
      tabId,
      filter: request.filter,
      held: request.held,
      isForgotten: request.isForgotten ?? false,
      sink: { deliver: (delivery) => sink.deliver(delivery), accessToken: (why) => sink.accessToken(why) },
    });
  };

  const withHub = async <T>(
    tabId: string,
    use: (hub: Hub) => Promise<Answer<T>> | Answer<T>,
  ): Promise<Answer<T>> => {
    const hub = attachments.get(tabId)?.hub;
    if (hub === undefined)
      return { ok: false, code: 'closed', message: 'This tab is not attached to the hub.' };
    return use(hub);
  };

  const remote: HubRemote = {
    attach: async (request, sinkPort) => {
      if (request.protocol !== HUB_PROTOCOL) {
        return {
          ok: false,
          code: 'environment',
          message: `The shared worker speaks protocol ${HUB_PROTOCOL}, this page ${request.protocol}. Reload all tabs.`,
        };
      }
      await attach(request, sinkPort);
      return { ok: true, value: { protocol: HUB_PROTOCOL, bootId: host.bootId } };
    },
    detach: async (tabId) => end(tabId),
    suspend: async (tabId) => attachments.get(tabId)?.hub.suspend(tabId),
    resume: async (tabId, held) => attachments.get(tabId)?.hub.resume(tabId, held),
    wake: async (tabId, why) => attachments.get(tabId)?.hub.wake(why),
    refresh: (tabId) => withHub(tabId, (hub) => hub.refresh()),
    forget: (tabId) => withHub(tabId, (hub) => hub.forget()),
    debug: (tabId) => withHub(tabId, (hub) => ({ ok: true, value: hub.debug() })),
  };
  expose(remote, port);
  return () => {
    for (const tabId of [...attachments.keys()]) end(tabId);
  };
}
