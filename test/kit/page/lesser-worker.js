/** The SharedWorker in a lesser browser (`?without=`), which also ends itself without a word when a test says so. */
importScripts('./take-away.js', './shared-worker.js');

new BroadcastChannel('end of the worker').onmessage = () => self.close();
