/** What the service worker of this page is doing, as one value read from the registration. It asks the browser nothing and changes nothing. */
import { FlagError } from '../core/errors.ts';

export type ServiceWorkerStatus =
  /** Nothing will happen here; the flags work all the same, only the start without a network does not. */
  | { readonly is: 'unsupported'; readonly reason: 'insecure-origin' | 'missing' | 'blocked' }
  | { readonly is: 'registering' }
  /** Files are being fetched and stored. `isUpdate`: an earlier version is active meanwhile. */
  | { readonly is: 'installing'; readonly isUpdate: boolean }
  /** A new version is complete and waits for `activateUpdate()`, or for all tabs to close. */
  | { readonly is: 'waiting' }
  | { readonly is: 'activating' }
  /** Active, but this page was loaded past it (a forced reload, or the script does not claim its clients). */
  | { readonly is: 'active' }
  /** This page's requests go through it. */
  | { readonly is: 'controlling' }
  | { readonly is: 'failed'; readonly error: FlagError }
  | { readonly is: 'unregistered' };

type Workers = Pick<ServiceWorkerRegistration, 'installing' | 'waiting' | 'active'>;

/** A waiting version comes first: it is the one state in which the application has something to do. */
export function statusOf(
  { installing, waiting, active }: Workers,
  controller: ServiceWorker | null,
): ServiceWorkerStatus {
  // The first version passes through the waiting slot too, on its way to become active by itself.
  if (waiting !== null) return { is: active === null ? 'activating' : 'waiting' };
  if (installing !== null) return { is: 'installing', isUpdate: active !== null };
  if (active === null) return { is: 'failed', error: installFailed() };
  if (active.state === 'activating') return { is: 'activating' };
  return active === controller ? { is: 'controlling' } : { is: 'active' };
}

export function isSameStatus(a: ServiceWorkerStatus, b: ServiceWorkerStatus): boolean {
  return a.is === b.is && JSON.stringify(a) === JSON.stringify(b);
}

/** The container, or why there is none. Reading the property alone throws in a sandboxed frame. */
export function findServiceWorkers(page: {
  readonly isSecureContext?: boolean;
  readonly navigator: { readonly serviceWorker?: ServiceWorkerContainer };
}): ServiceWorkerContainer | Extract<ServiceWorkerStatus, { is: 'unsupported' }> {
  try {
    const container = page.navigator.serviceWorker;
    if (container !== undefined) return container;
    return { is: 'unsupported', reason: page.isSecureContext === false ? 'insecure-origin' : 'missing' };
  } catch {
    return { is: 'unsupported', reason: 'blocked' };
  }
}

function installFailed(): FlagError {
  return new FlagError(
    'environment',
    'The service worker could not be installed: one of its files could not be fetched or stored. Its console says which.',
  );
}

/** Browsers tell a refused script from an unreachable one by the name of the error alone. */
export function registrationFailed(url: string, cause: unknown): FlagError {
  const { name, message } = cause as Error;
  const what = `The service worker ${url} could not be registered: ${message}`;
  return name === 'SecurityError'
    ? new FlagError(
        'environment',
        `${what} It must come from this origin, as JavaScript, and storage must be allowed.`,
        { cause },
      )
    : new FlagError('unreachable', `${what} Check that the address exists and that the script runs.`, {
        cause,
      });
}
