/** One message of a server as the bytes of RFC 6455, for frames that are written to many sockets; `ws` makes them anew for each. */

/** FIN and the opcode of text (§5.2). */
const WHOLE_TEXT = 0x81;

/** A text frame that is not masked and not compressed. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = headerOf(length);
  const frame = Buffer.allocUnsafe(header.length + length);
  header.copy(frame);
  frame.write(text, header.length);
  return frame;
}

/** Lengths from 126 stand in 2 more bytes, from 65 536 in 8 more; the number in the second byte says which. */
function headerOf(length: number): Buffer {
  if (length < 126) return Buffer.of(WHOLE_TEXT, length);
  const isShort = length < 65_536;
  const header = Buffer.alloc(isShort ? 4 : 10);
  header[0] = WHOLE_TEXT;
  header[1] = isShort ? 126 : 127;
  if (isShort) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}
