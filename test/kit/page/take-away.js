/**
 * Makes a lesser browser of this one before the client loads, in a page or in a worker: `?without=` names what is missing or broken,
 * and may be given several times. A classic script, so that it runs before every module.
 */
const BLOCKED = new DOMException('The user denied permission to access the database.', 'SecurityError');

const TAKE_AWAY = {
  SharedWorker: () => delete globalThis.SharedWorker,
  locks: () => answer(Object.getPrototypeOf(navigator), 'locks', () => undefined),
  indexedDB: () =>
    answer(globalThis, 'indexedDB', () => {
      throw BLOCKED;
    }),
  // An open that is never answered, as in browsers whose storage process hangs.
  'indexedDB answers': () => {
    IDBFactory.prototype.open = () => new EventTarget();
  },
  room: () => {
    IDBObjectStore.prototype.put = IDBObjectStore.prototype.add = () => {
      throw new DOMException('The disk is full.', 'QuotaExceededError');
    };
  },
};

function answer(owner, name, get) {
  Object.defineProperty(owner, name, { configurable: true, get });
}

for (const name of new URL(location.href).searchParams.getAll('without')) {
  if (TAKE_AWAY[name] === undefined) throw new Error(`Nothing is called ${name} here.`);
  TAKE_AWAY[name]();
}
