/** The texts in the bytes that a WebSocket server writes: whole text frames, not masked, one behind the other. */
export function textsIn(bytes: Buffer): readonly string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== 0x81) throw new Error(`At ${at} of ${bytes.length} there is no whole text frame.`);
    const { start, length } = payloadAt(bytes, at);
    texts.push(bytes.toString('utf8', start, start + length));
    at = start + length;
  }
  return texts;
}

function payloadAt(bytes: Buffer, at: number): { readonly start: number; readonly length: number } {
  const short = bytes.readUInt8(at + 1);
  if (short < 126) return { start: at + 2, length: short };
  if (short === 126) return { start: at + 4, length: bytes.readUInt16BE(at + 2) };
  return { start: at + 10, length: Number(bytes.readBigUInt64BE(at + 2)) };
}
