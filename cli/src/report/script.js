"use strict";
// Draws rasters and traces from the embedded data; both share one time axis.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const redraws = [];
  const redraw = () => redraws.forEach((f) => f());

  // Theme: what the system says until the reader chooses.
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  try { const kept = localStorage.getItem("synfire-theme"); if (kept) root.dataset.theme = kept; } catch (e) { /* no storage */ }
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("synfire-theme", root.dataset.theme); } catch (e) { /* no storage */ }
    redraw();
  });
  system.addEventListener("change", redraw);
  if (!data.steps) return;

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const series = (k) => color("--c" + (k % 6));

  // Time: steps inside, the unit that suits the window outside.
  const view = { from: 0, to: data.steps };
  const unit = () => {
    if (!data.dt) return [1, "step"];
    const t = data.steps * data.dt;
    return t >= 10 ? [data.dt, "s"] : t >= 1e-3 ? [data.dt * 1e3, "ms"] : [data.dt * 1e6, "µs"];
  };
  const round = (x) => String(+x.toPrecision(6));
  const nice = (x) => { const p = 10 ** Math.floor(Math.log10(x)); return [1, 2, 5, 10].map((m) => m * p).find((s) => s >= x * (1 - 1e-9)); };
  const compact = (x) => { const a = Math.abs(x); return a !== 0 && (a < 1e-3 || a >= 1e5) ? x.toExponential(1) : String(+x.toPrecision(3)); };
  const LEFT = 76, RIGHT = 10, AXIS = 34;

  // A canvas in a box, drawn at the resolution of the screen.
  function canvas(box, height) {
    const c = document.createElement("canvas");
    c.style.height = height + "px";
    box.appendChild(c);
    const g = c.getContext("2d");
    return { c, g, height, get width() { return c.clientWidth; }, begin() {
      const r = window.devicePixelRatio || 1;
      c.width = Math.round(c.clientWidth * r); c.height = Math.round(height * r);
      g.setTransform(r, 0, 0, r, 0, 0);
      g.clearRect(0, 0, c.clientWidth, height);
      g.font = "12px " + getComputedStyle(document.body).fontFamily;
    } };
  }
  const scale = (p) => { const w = p.width - LEFT - RIGHT, n = view.to - view.from; return { w, x: (s) => LEFT + (s - view.from) / n * w, step: (x) => view.from + (x - LEFT) / w * n }; };

  function axis(p, bottom) {
    const { g } = p, { x, w } = scale(p), [f, name] = unit();
    const every = nice((view.to - view.from) * f / Math.max(2, Math.min(10, w / 90)));
    g.strokeStyle = color("--grid"); g.fillStyle = color("--soft"); g.lineWidth = 1; g.textAlign = "center"; g.textBaseline = "top";
    for (let t = Math.ceil(view.from * f / every - 1e-9) * every; t <= view.to * f * (1 + 1e-9); t += every) {
      const at = Math.round(x(t / f)) + .5;
      g.beginPath(); g.moveTo(at, 0); g.lineTo(at, bottom + 5); g.stroke();
      const label = round(t);
      if (at < LEFT + w - 30) g.fillText(label, at, bottom + 8);
    }
    g.textAlign = "right"; g.fillText(name, LEFT + w, bottom + 8);
  }

  // Zoom by dragging, reset by a double click; the tip follows the pointer.
  function interact(box, p, bottom, describe) {
    const tip = document.createElement("div"); tip.className = "tip"; box.appendChild(tip);
    let start = null, now = null;
    const at = (e) => { const r = p.c.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
    p.c.addEventListener("pointerdown", (e) => { if (e.pointerType === "mouse" && e.button === 0) { start = at(e)[0]; p.c.setPointerCapture(e.pointerId); } });
    p.c.addEventListener("pointermove", (e) => {
      const [x, y] = at(e); now = x;
      if (start !== null) {
        redraw(); p.g.fillStyle = color("--accent"); p.g.globalAlpha = .15; p.g.fillRect(Math.min(start, x), 0, Math.abs(x - start), bottom); p.g.globalAlpha = 1;
        tip.style.display = "none"; return;
      }
      const text = x >= LEFT && x <= p.width - RIGHT && y <= bottom ? describe(Math.floor(scale(p).step(x)), x, y) : null;
      tip.style.display = text ? "block" : "none";
      if (text) { tip.textContent = text; tip.style.left = Math.min(Math.max(p.c.offsetLeft + x, 70), box.clientWidth - 70) + "px"; tip.style.top = Math.max(p.c.offsetTop + y, 40) + "px"; }
    });
    p.c.addEventListener("pointerup", () => {
      if (start !== null && now !== null && Math.abs(now - start) > 5) {
        const s = scale(p), a = Math.max(0, Math.floor(s.step(Math.min(start, now)))), b = Math.min(data.steps, Math.ceil(s.step(Math.max(start, now))));
        if (b - a >= 2) { view.from = a; view.to = b; }
      }
      start = null; redraw();
    });
    p.c.addEventListener("pointerleave", () => { tip.style.display = "none"; });
    p.c.addEventListener("dblclick", () => { view.from = 0; view.to = data.steps; redraw(); });
  }
  const when = (step) => { const [f, name] = unit(); return data.dt ? round(step * f) + " " + name + " (step " + step.toLocaleString("en") + ")" : "step " + step.toLocaleString("en"); };

  function raster(box, populations) {
    const roots = populations.map((p) => Math.sqrt(p.size)), most = Math.max(...roots);
    const room = Math.max(200, Math.min(640, 120 * populations.length));
    const sum = roots.reduce((a, b) => a + b, 0);
    let top = 0;
    const bands = populations.map((p, k) => {
      const h = Math.round(Math.min(Math.max(roots[k] / sum * room, 22), Math.max(p.size * 14, 22), 320));
      const band = { ...p, top, h, k }; top += h + 8;
      if (p.grid) band.cells = bytes(p.grid);
      else {
        const raw = bytes(p.spikes || ""); let i = 0;
        const next = () => { let n = 0, m = 1, b; do { b = raw[i++]; n += (b & 127) * m; m *= 128; } while (b & 128); return n; };
        band.step = new Uint32Array(p.n); band.neuron = new Uint32Array(p.n);
        for (let s = 0, j = 0; j < p.n; j++) { s += next(); band.step[j] = s; band.neuron[j] = next(); }
      }
      return band;
    });
    const bottom = top, p = canvas(box, top + AXIS);
    const first = (list, s) => { let a = 0, b = list.length; while (a < b) { const m = (a + b) >> 1; if (list[m] < s) a = m + 1; else b = m; } return a; };
    function draw() {
      p.begin(); axis(p, bottom);
      const { g } = p, { x, w } = scale(p);
      for (const b of bands) {
        g.fillStyle = color("--ink"); g.textAlign = "right"; g.textBaseline = "middle";
        let name = b.name; while (name.length > 3 && g.measureText(name).width > LEFT - 14) name = name.slice(0, -2) + "…";
        g.font = "600 " + g.font; g.fillText(name, LEFT - 10, b.top + Math.min(b.h / 2, b.h > 30 ? b.h / 2 - 7 : b.h / 2)); g.font = g.font.replace("600 ", "");
        if (b.h > 30) { g.fillStyle = color("--soft"); g.fillText(b.size.toLocaleString("en"), LEFT - 10, b.top + b.h / 2 + 8); }
        g.save(); g.beginPath(); g.rect(LEFT, b.top - 2, w, b.h + 4); g.clip();
        g.fillStyle = series(b.k);
        if (b.cells) density(b, x); else dots(b, x, w);
        g.restore();
        g.strokeStyle = color("--line"); g.beginPath(); g.moveTo(LEFT + .5, b.top); g.lineTo(LEFT + .5, b.top + b.h); g.stroke();
      }
    }
    function dots(b, x, w) {
      const g = p.g, from = first(b.step, view.from), to = first(b.step, view.to), n = Math.max(1, to - from);
      const high = Math.min(Math.max(b.h / b.size * .8, 1.2), 9), wide = Math.min(Math.max(w / (view.to - view.from) * .6, 1.1), 3);
      g.globalAlpha = Math.max(.25, Math.min(1, .35 * w * b.h / n / (wide * high)));
      for (let j = from; j < to; j++) g.fillRect(x(b.step[j] + .5) - wide / 2, b.top + (b.neuron[j] + .5) / b.size * b.h - high / 2, wide, high);
      g.globalAlpha = 1;
    }
    function density(b, x) {
      const g = p.g, per = data.steps / b.columns, high = b.h / b.rows;
      for (let c = Math.max(0, Math.floor(view.from / per) - 1); c < b.columns && c * per < view.to; c++) {
        const left = x(c * per), wide = x((c + 1) * per) - left + .3;
        for (let r = 0; r < b.rows; r++) {
          const shade = b.cells[r * b.columns + c];
          if (shade) { g.globalAlpha = .12 + .88 * Math.sqrt(shade / 255); g.fillRect(left, b.top + r * high, wide, high + .3); }
        }
      }
      g.globalAlpha = 1;
    }
    interact(box, p, bottom, (step, x, y) => {
      const b = bands.find((b) => y >= b.top && y <= b.top + b.h);
      if (!b || step < 0 || step >= data.steps) return null;
      const neuron = Math.min(b.size - 1, Math.max(0, Math.floor((y - b.top) / b.h * b.size)));
      return b.name + " " + neuron.toLocaleString("en") + "\n" + when(step);
    });
    redraws.push(draw);
  }

  function traces(box, list) {
    list.forEach((t, at) => {
      const lines = t.lines.map((l) => ({ unit: l.unit, steps: new Uint32Array(bytes(l.steps).buffer), values: new Float32Array(bytes(l.values).buffer) }));
      let low = Infinity, high = -Infinity;
      for (const l of lines) for (const v of l.values) { if (v < low) low = v; if (v > high) high = v; }
      if (!(low <= high)) { low = 0; high = 1; }
      const span = high > low ? high - low : Math.abs(high) || 1;
      low -= span * .06; high += span * .06;
      const legend = document.createElement("div"); legend.className = "legend";
      const head = document.createElement("b"); head.textContent = t.unit ? t.name + " (" + t.unit + ")" : t.name; legend.appendChild(head);
      lines.forEach((l, k) => { const s = document.createElement("span"), i = document.createElement("i"); s.append(i, "unit " + l.unit); legend.appendChild(s); redraws.push(() => { i.style.background = series(k); }); });
      if (t.units > lines.length) { const s = document.createElement("span"); s.textContent = "of " + t.units.toLocaleString("en"); legend.appendChild(s); }
      box.appendChild(legend);
      const bottom = 150, p = canvas(box, bottom + (at === list.length - 1 ? AXIS : 30));
      const y = (v) => bottom - (v - low) / (high - low) * bottom;
      redraws.push(() => {
        p.begin(); axis(p, bottom);
        const { g } = p, { x, w } = scale(p), every = nice((high - low) / 5.5);
        g.textAlign = "right"; g.textBaseline = "middle";
        for (let v = Math.ceil(low / every) * every; v <= high; v += every) {
          g.strokeStyle = color("--grid"); g.beginPath(); g.moveTo(LEFT, y(v)); g.lineTo(LEFT + w, y(v)); g.stroke();
          g.fillStyle = color("--soft"); g.fillText(compact(Math.abs(v) < every * 1e-6 ? 0 : v), LEFT - 10, y(v));
        }
        g.save(); g.beginPath(); g.rect(LEFT, 0, w, bottom); g.clip(); g.lineWidth = 1.4; g.lineJoin = "round";
        lines.forEach((l, k) => {
          g.strokeStyle = series(k); g.beginPath();
          l.steps.forEach((s, j) => (j ? g.lineTo(x(s + .5), y(l.values[j])) : g.moveTo(x(s + .5), y(l.values[j]))));
          g.stroke();
        });
        g.restore();
      });
      interact(box, p, bottom, (step) => {
        const rows = lines.map((l) => { let j = 0, e = l.steps.length; while (j < e) { const m = (j + e) >> 1; if (l.steps[m] < step) j = m + 1; else e = m; } j = Math.min(j, l.steps.length - 1); return j >= 0 ? "unit " + l.unit + ": " + compact(l.values[j]) : ""; });
        return when(step) + "\n" + rows.join("\n");
      });
    });
  }

  const rasterBox = document.getElementById("raster"), traceBox = document.getElementById("traceplots");
  if (rasterBox && data.populations.length) raster(rasterBox, data.populations);
  if (traceBox) traces(traceBox, data.traces);
  addEventListener("resize", redraw);
  redraw();
})();
