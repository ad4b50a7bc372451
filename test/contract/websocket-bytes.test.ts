/** Frames made here, read by an implementation of WebSockets that nobody here has written. */
import { expect, test } from 'vitest';
import { textFrame } from '../../src/server/websocket-bytes.ts';
import { acceptSockets } from './transport-wires.ts';

test('texts of every length around the limits of the header arrive whole, in one write or many', async () => {
  const texts = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 200_000].map((length) => 'x'.repeat(length));
  const wide = texts.map((text) => text.replaceAll('xx', 'ü'));
  const all = [...texts, ...wide];
  const url = await acceptSockets((socket, _, raw) => {
    raw.write(Buffer.concat(all.map(textFrame)));
    for (const text of all) raw.write(textFrame(text));
    socket.close();
  });
  const heard: string[] = [];
  const socket = new WebSocket(url.replace('http', 'ws'), ['flagent.v1']);
  socket.onmessage = ({ data }) => heard.push(data);
  await new Promise((resolve) => {
    socket.onclose = resolve;
  });
  expect(heard.map(({ length }) => length)).toEqual([...all, ...all].map(({ length }) => length));
  expect(heard).toEqual([...all, ...all]);
});
