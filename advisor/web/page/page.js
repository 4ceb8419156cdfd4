"use strict";
// textual.js reads the address of the websocket when the page has loaded; it is that of the page, whatever its name.
document.addEventListener("DOMContentLoaded", () => {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  document.getElementById("terminal").dataset.sessionWebsocketUrl = `${scheme}//${location.host}/ws`;
  document.getElementById("again").addEventListener("click", () => location.reload());
});

// Keys go to the terminal at once, without a click; before its first byte there is nobody to take them.
window.addEventListener("load", function focus() {
  const area = document.querySelector(".xterm-helper-textarea");
  if (area && document.body.classList.contains("-first-byte")) area.focus();
  else requestAnimationFrame(focus);
});
