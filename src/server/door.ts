/** A port through which requests come in: how it opens, what is said when it cannot, and that it closes in bounded time. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { FlagError } from '../core/errors.ts';

export interface DoorOptions {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** `undefined`: a request that offers an upgrade is answered like any other. */
  readonly sockets:
    | {
        isUpgrade(request: IncomingMessage): boolean;
        upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
      }
    | undefined;
}

export interface Door {
  /** Rejects with `environment` when the address is taken or not allowed. */
  open(host: string, port: number): Promise<{ readonly url: string }>;
  /** Settles when every connection has ended; `cut` ends those that HTTP knows of. */
  close(): Promise<void>;
  cut(): void;
}

export function createDoor({ handler, sockets }: DoorOptions): Door {
  const http = createServer(
    {
      noDelay: true,
      headersTimeout: 10_000,
      // Some clients offer HTTP/2 with every request; only what really becomes a socket leaves HTTP.
      shouldUpgradeCallback: (request) => sockets?.isUpgrade(request) === true,
    },
    handler,
  );
  if (sockets !== undefined) http.on('upgrade', sockets.upgrade);

  return {
    async open(host, port) {
      await new Promise<void>((resolve, reject) => {
        http.once('error', (error) => reject(explainListen(error, host, port)));
        http.listen(port, host, resolve);
      });
      return { url: urlOf(http.address() as AddressInfo, host) };
    },
    async close() {
      if (http.listening) await new Promise((resolve) => http.close(resolve));
    },
    cut: () => http.closeAllConnections(),
  };
}

function urlOf({ port, family }: AddressInfo, host: string): string {
  const isAny = host === '0.0.0.0' || host === '::';
  if (isAny) return `http://localhost:${port}`;
  return `http://${family === 'IPv6' && host.includes(':') ? `[${host}]` : host}:${port}`;
}

const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process. Choose another port (0 takes a free one), or stop that process',
  EACCES: 'is not allowed for this user. Choose a port from 1024 up',
  EADDRNOTAVAIL: 'is not an address of this machine. Choose another host, such as 127.0.0.1',
  ENOTFOUND: 'is not an address of this machine. Choose another host, such as 127.0.0.1',
};

function explainListen(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const advice = LISTEN_ADVICE[error.code ?? ''];
  if (advice === undefined) return error;
  return new FlagError('environment', `Port ${port} on ${host} ${advice}.`, { cause: error });
}
