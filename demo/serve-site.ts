/** Serves the built page on this machine, and the control requests beside it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Plugin, preview } from 'vite';

export type Control = (request: IncomingMessage, response: ServerResponse) => void;

export interface Site {
  /** With a trailing slash: `http://127.0.0.1:4173/`. */
  readonly url: string;
  close(): Promise<void>;
}

export async function serveSite(options: {
  readonly folder: string;
  readonly port: number;
  readonly control: Control;
}): Promise<Site> {
  const { folder, port, control } = options;
  const withControl: Plugin = {
    name: 'demo-control',
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use('/__demo', control);
    },
  };
  const server = await preview({
    configFile: false,
    logLevel: 'silent',
    plugins: [withControl],
    build: { outDir: folder },
    preview: { host: '127.0.0.1', port, strictPort: false },
  });
  const [url] = server.resolvedUrls?.local ?? [];
  if (url === undefined) throw new Error(`The site does not listen on port ${port}.`);
  return { url, close: () => server.close() };
}
