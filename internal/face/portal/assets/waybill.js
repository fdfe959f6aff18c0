// Pages read well without this script. It adds live updates, copy buttons and times that stay true.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  // Copy buttons: data-copy holds the text.
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-copy]");
    if (!b) return;
    try {
      await navigator.clipboard.writeText(b.dataset.copy);
    } catch {
      return;
    }
    b.classList.add("done");
    say("Copied");
    setTimeout(() => b.classList.remove("done"), 1500);
  });

  // Menus close on Escape and on a click elsewhere.
  const close = (except) => {
    for (const d of document.querySelectorAll("details.menu[open]")) if (!d.contains(except)) d.open = false;
  };
  document.addEventListener("click", (e) => close(e.target));
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    const open = document.querySelector("details.menu[open]");
    close(null);
    open?.querySelector("summary").focus();
  });

  // Filters apply at once.
  document.addEventListener("change", (e) => {
    if (e.target.closest("form.filters") && e.target.tagName === "SELECT") e.target.form.requestSubmit();
  });

  // Relative times, in the words of the server.
  const units = [[86400, "day", 1], [3600, " h"], [60, " min"], [1, " s"]];
  const ago = (t) => {
    const s = Math.floor((Date.now() - t) / 1000);
    if (s > 60 * 86400 || s < 0) return "";
    if (s < 5) return "just now";
    const [n, unit, word] = units.find((u) => s >= u[0]);
    const x = Math.floor(s / n);
    return word ? `${x} ${unit}${x === 1 ? "" : "s"} ago` : `${x}${unit} ago`;
  };
  const tick = () => {
    if (document.hidden) return;
    for (const t of document.querySelectorAll("time[data-ago]")) {
      const text = ago(Date.parse(t.dateTime));
      if (text && text !== t.textContent) t.textContent = text;
    }
  };
  setInterval(tick, 30000);

  // What changed, for those who listen.
  const region = document.getElementById("said");
  const say = (text) => {
    if (region && text && region.textContent !== text) region.textContent = text;
  };

  // Logs follow their end while the box is ticked.
  const follow = (log) => {
    const box = log.closest(".log-box").querySelector("[data-follow]");
    if (box?.checked) log.scrollTop = log.scrollHeight;
  };
  for (const log of document.querySelectorAll(".log")) log.scrollTop = log.scrollHeight;
  document.addEventListener("change", (e) => {
    if (e.target.matches("[data-follow]")) follow(e.target.closest(".log-box").querySelector(".log"));
  });

  // Live updates: the server sends fragments by element id, and lines for logs.
  const parse = (html) => {
    const t = document.createElement("template");
    t.innerHTML = html;
    return t.content;
  };
  const swap = (html) => {
    const next = parse(html).firstElementChild;
    const old = next && document.getElementById(next.id);
    if (!old || old.isEqualNode(next)) return;
    if (old.querySelector("details.menu[open]")) return; // somebody is deciding; the next change comes anyway
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(next);
    if (focus) document.getElementById(focus)?.focus();
    say(next.dataset.say);
  };
  const append = (log, html) => {
    const quiet = log.querySelector(".quiet");
    if (quiet) quiet.remove();
    log.append(parse(html));
    while (log.childElementCount > 2000) log.firstElementChild.remove();
    follow(log);
  };

  const stream = document.body.dataset.stream;
  let source = null;
  let last = "";
  let ended = false;
  const connect = () => {
    if (source || ended) return;
    source = new EventSource(last ? stream + (stream.includes("?") ? "&" : "?") + "last=" + encodeURIComponent(last) : stream);
    source.addEventListener("swap", (e) => swap(e.data));
    source.addEventListener("end", () => {
      ended = true;
      leave();
    });
    for (const log of document.querySelectorAll("[data-log]")) {
      source.addEventListener(log.dataset.log, (e) => {
        last = e.lastEventId;
        append(log, e.data);
      });
    }
  };
  const leave = () => {
    source?.close();
    source = null;
  };
  if (stream) {
    // A hidden page holds no connection: browsers allow six per server.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) leave();
      else connect();
      tick();
    });
    addEventListener("pagehide", leave);
    addEventListener("pageshow", () => document.hidden || connect());
  }
})();
