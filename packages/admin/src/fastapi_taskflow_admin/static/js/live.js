// One stream of what happens, opened again for as long as somebody looks at the page.
const PATIENCE = 15_000; // milliseconds; the server says something every ten seconds
const LONGEST = 30_000;
const HIDDEN = 10_000;
const ID_LENGTH = 12; // characters of an id that a frame names

// Whether what was said may be about the task of this id: a frame does not name all of very many.
export function concerns(said, id) {
  return said.more || said.ids.includes(id.slice(-ID_LENGTH));
}

export function listen(url, on) {
  let source = null;
  let last = document.documentElement.dataset.seen; // what happened since the page was made is told
  let told = 0; // the server's time in what it said last
  let failures = 0;
  let retry = 0;
  let watch = 0;
  let hidden = 0;
  let over = false;

  const close = () => {
    source?.close();
    source = null;
    clearTimeout(retry);
    clearTimeout(watch);
  };

  const lose = (pause) => {
    close();
    failures += 1;
    const wait = pause ?? Math.min(LONGEST, 1000 * 2 ** failures) * (0.8 + 0.4 * Math.random());
    on.lost(wait);
    retry = setTimeout(open, wait);
  };

  const heard = () => {
    clearTimeout(watch);
    watch = setTimeout(() => lose(), PATIENCE);
  };

  function open() {
    close();
    if (over) return;
    source = new EventSource(last ? `${url}?last=${encodeURIComponent(last)}` : url);
    const take = (name, act) => source.addEventListener(name, (event) => {
      heard();
      last = event.lastEventId || last;
      act(JSON.parse(event.data));
    });
    take("hello", (said) => {
      failures = 0;
      last ||= said.id;
      on.live(told > 0 && Date.parse(said.since) > told); // whoever answers began later than that
      told = Date.parse(said.t);
    });
    take("tick", (said) => {
      told = Date.parse(said.t);
      on.tick(said);
    });
    take("quiet", () => {});
    take("reset", on.reset);
    take("bye", (said) => (said.reason === "renew" ? open() : lose(said.reconnect)));
    source.onerror = () => lose();
    heard();
  }

  // A browser opens six connections to a server: pages that nobody sees must not hold them.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(close, HIDDEN);
    else if (!source) open();
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  open();
  return {
    retry: open,
    end: () => {
      over = true;
      close();
    },
  };
}
