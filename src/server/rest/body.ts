/** The body of a request as JSON, up to a limit that is kept while reading. */
import { FlagError } from '../../core/errors.ts';
import { readJson } from '../../core/protocol/read.ts';

export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return readJson(Buffer.concat(chunks).toString(), 'The body', Number.POSITIVE_INFINITY);
}

function tooLarge(maxBytes: number): FlagError {
  return new FlagError(
    'too_large',
    `The body has more than ${maxBytes} bytes, which is the limit here. Send less, or send it in parts.`,
  );
}
