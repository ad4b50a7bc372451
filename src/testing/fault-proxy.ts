/**
 * A TCP proxy that breaks on command. It stands between a browser or client and a server, and it is the one means that works alike for
 * pages, workers and service workers in every browser, and that also ends streams that are already open.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type CutHow, type FaultyConnection, joinWithFaults } from './faulty-connection.ts';
import type { TrafficShape } from './faulty-pipe.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

export interface FaultProxy {
  /** Use it in place of the server's URL; stays the same until `stop`. */
  readonly url: string;
  readonly counts: FaultProxyCounts;
  /** Ends every open connection; new ones pass. Default `reset`. */
  cut(how?: CutHow): void;
  /** Cuts each connection after this many more bytes to the client; connections to come count from their start. Default `reset`. */
  cutAfter(bytes: number, how?: CutHow): void;
  /** Ends every open connection and refuses new ones, as a machine where nothing listens. */
  refuse(how?: CutHow): void;
  /** Half-open: connections stay and are accepted, and nothing passes, neither bytes nor ends. `restore` delivers what was held back. */
  stall(): void;
  /** New connections are accepted, and nothing passes through them before this time is over; `Infinity`: never (a black hole). Open ones go on. `restore` lets through what was held back. */
  delayConnect(delayMs: number): void;
  /** Slows, trickles or splits what goes to the client; fields left out are at rest. Reaches open connections too. */
  shape(shape: Partial<TrafficShape>): void;
  /** All faults off, for open and new connections. Settles when new connections are accepted. */
  restore(): Promise<void>;
  /** Ends everything. */
  stop(): Promise<void>;
}

export interface FaultProxyCounts {
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Connections open now. */
  readonly open: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

const AT_REST: TrafficShape = { delayMs: 0, bytesPerSecond: 0, chunkBytes: 0 };
const UNLIMITED = Number.POSITIVE_INFINITY;

/** Starts a proxy on this machine, by default on a free port. `target` is the server's URL, or the port of one on this machine. */
export async function startFaultProxy(
  target: string | number,
  options: { readonly port?: number } = {},
): Promise<FaultProxy> {
  const { hostname, port: targetPort } = new URL(
    typeof target === 'number' ? `http://127.0.0.1:${target}` : target,
  );
  const wire = createFaultyWire(() =>
    connect({ host: hostname, port: Number(targetPort) || 80, allowHalfOpen: true }),
  );
  const listen = async (port: number): Promise<{ server: Server; port: number }> => {
    const server = createServer({ allowHalfOpen: true }, wire.accept);
    return { server, port: await listenOnLoopback(server, port) };
  };
  const { server: first, port } = await listen(options.port ?? 0);
  let server: Server | undefined = first;

  return {
    url: `http://127.0.0.1:${port}`,
    get counts() {
      return wire.counts();
    },
    cut: wire.cut,
    cutAfter: wire.cutAfter,
    refuse(how) {
      server?.close();
      server = undefined;
      wire.cut(how);
    },
    stall: wire.stall,
    delayConnect: wire.delayConnect,
    shape: wire.shape,
    async restore() {
      wire.restore();
      server ??= (await listen(port)).server;
    },
    async stop() {
      const closed = new Promise<void>((resolve) => {
        if (server === undefined) resolve();
        else server.close(() => resolve());
      });
      wire.restore();
      wire.cut();
      await closed;
    },
  };
}

interface FaultyWire extends Pick<FaultProxy, 'cut' | 'cutAfter' | 'stall' | 'delayConnect' | 'shape'> {
  accept(client: Socket): void;
  restore(): void;
  counts(): FaultProxyCounts;
}

/** All connections of the proxy and the faults they share. */
function createFaultyWire(connectToServer: () => Socket): FaultyWire {
  const connections = new Set<FaultyConnection>();
  const totals = { accepted: 0, client: 0, server: 0 };
  let shape = AT_REST;
  let gate = openGate();
  let connectDelayMs = 0;
  let restored = closedGate();
  let allowance = { bytes: UNLIMITED, how: 'reset' as CutHow };

  function cutAfter(bytes: number, how: CutHow = 'reset'): void {
    allowance = { bytes, how };
    for (const connection of connections) connection.allow(bytes);
  }

  return {
    accept(client) {
      totals.accepted += 1;
      const connected = passAfter(connectDelayMs, restored.passed);
      const faults = {
        shape: () => shape,
        gate: async () => {
          await connected;
          await gate.passed;
        },
        cutHow: () => allowance.how,
        passed(to: 'client' | 'server', bytes: number) {
          totals[to] += bytes;
        },
      };
      const connection = joinWithFaults(client, connectToServer(), faults, allowance.bytes);
      connections.add(connection);
      void connection.over.then(() => connections.delete(connection));
    },
    cut(how = 'reset') {
      for (const connection of connections) connection.end(how);
      connections.clear();
    },
    cutAfter,
    stall() {
      if (gate.isOpen) gate = closedGate();
    },
    delayConnect(delayMs) {
      connectDelayMs = delayMs;
    },
    shape(wished) {
      shape = { ...AT_REST, ...wished };
    },
    restore() {
      shape = AT_REST;
      connectDelayMs = 0;
      restored.open();
      restored = closedGate();
      cutAfter(UNLIMITED);
      gate.open();
      gate = openGate();
    },
    counts: () => ({
      accepted: totals.accepted,
      open: connections.size,
      bytesToServer: totals.server,
      bytesToClient: totals.client,
    }),
  };
}

/** Settles after the delay, or when `sooner` does. */
async function passAfter(delayMs: number, sooner: Promise<void>): Promise<void> {
  if (delayMs === 0) return;
  const over = new AbortController();
  const delay = Number.isFinite(delayMs) ? [setTimeout(delayMs, undefined, { signal: over.signal })] : [];
  // The timer that lost rejects when it is taken back.
  await Promise.race([...delay, sooner]).finally(() => over.abort());
}

interface Gate {
  readonly isOpen: boolean;
  readonly passed: Promise<void>;
  open(): void;
}

function openGate(): Gate {
  return { isOpen: true, passed: Promise.resolve(), open() {} };
}

function closedGate(): Gate {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { isOpen: false, passed, open };
}
