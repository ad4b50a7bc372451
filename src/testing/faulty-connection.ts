/** One client and its server, joined through the faults of the proxy. */
import type { Socket } from 'node:net';
import { pipeWithFaults, type TrafficShape } from './faulty-pipe.ts';

/** `reset`: the connection breaks (RST). `fin`: it ends politely, which in the middle of a chunked body is a cut too. */
export type CutHow = 'reset' | 'fin';

export interface ConnectionFaults {
  /** For bytes on their way to the client. */
  shape(): TrafficShape;
  /** Settles when anything may pass. */
  gate(): Promise<void>;
  /** How the connection ends when its allowance is used up. */
  cutHow(): CutHow;
  passed(to: 'client' | 'server', bytes: number): void;
}

export interface FaultyConnection {
  /** Cuts the connection after this many more bytes to the client. */
  allow(bytes: number): void;
  end(how: CutHow): void;
  /** Settles when both directions are over. */
  readonly over: Promise<void>;
}

export function joinWithFaults(
  client: Socket,
  server: Socket,
  faults: ConnectionFaults,
  allowedBytes: number,
): FaultyConnection {
  let allowance = allowedBytes;
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    // The pipe hears the same error; without a listener it would end the process.
    socket.on('error', () => {});
  }

  function end(how: CutHow): void {
    if (how === 'reset') client.resetAndDestroy();
    else client.end(() => client.destroy());
    server.destroy();
  }

  const { gate } = faults;
  const up = pipeWithFaults(client, server, {
    shape: () => ({ delayMs: 0, bytesPerSecond: 0, chunkBytes: 0 }),
    gate,
    allowance: () => Number.POSITIVE_INFINITY,
    passed: (bytes) => faults.passed('server', bytes),
  });
  const down = pipeWithFaults(server, client, {
    shape: faults.shape,
    gate,
    allowance: () => allowance,
    passed(bytes) {
      faults.passed('client', bytes);
      allowance -= bytes;
      if (allowance <= 0) end(faults.cutHow());
    },
  });
  return {
    allow(bytes) {
      allowance = bytes;
    },
    end,
    over: Promise.all([closeAfter(up, client, server), down]).then(() => {}),
  };
}

/** A client that is gone for good wants no answer any more, even from a server that goes on after an end. */
async function closeAfter(up: Promise<void>, client: Socket, server: Socket): Promise<void> {
  await up;
  // Not `events.once`: it would reject on the error that comes before the close.
  if (!client.closed) await new Promise((resolve) => client.once('close', resolve));
  server.destroy();
}
