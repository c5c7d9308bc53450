// Says that the list has news; nothing on the page moves and nothing is replaced unasked.
(() => {
  const notice = document.getElementById("live");
  if (!notice || !window.EventSource) return;
  const source = new EventSource("/events");
  source.addEventListener("change", () => { notice.hidden = false; });
  addEventListener("pagehide", () => source.close());
})();
