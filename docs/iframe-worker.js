// A page that was opened from disk may start no worker: there the search runs in a hidden frame instead.
if (location.protocol === "file:") {
  const inFrame = (url) => `<script>
    postMessage = (data) => parent.postMessage(data, "*");
    importScripts = (...scripts) => scripts.reduce((before, script) => before.then(() => new Promise((loaded) => {
      const element = document.createElement("script");
      element.src = script;
      element.onload = loaded;
      document.body.append(element);
    })), Promise.resolve());
  <\/script><script src="${url}"><\/script>`;

  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inner = this.frame.contentWindow;
      window.addEventListener("message", (event) => {
        if (event.source !== inner) return;
        const message = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(message);
        this.onmessage?.(message);
      });
      this.loaded = new Promise((resolve) => this.frame.addEventListener("load", resolve));
      inner.document.open();
      inner.document.write(`<!doctype html><body>${inFrame(url)}</body>`);
      inner.document.close();
    }

    postMessage(data) {
      this.loaded.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
