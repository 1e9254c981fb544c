"use strict";
// The page is whole without this: it offers the raw figures as a file, and reads values off the charts under a pointer.
(() => {
  const raw = document.getElementById("result");
  if (!raw) return;
  const result = JSON.parse(raw.textContent);

  const link = document.getElementById("download");
  if (link) {
    link.href = URL.createObjectURL(new Blob([raw.textContent], { type: "application/json" }));
    link.hidden = false;
  }

  const series = Array.isArray(result.series) ? result.series : [];
  if (series.length === 0) return;
  const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const clock = (seconds) => {
    const pad = (value) => String(value).padStart(2, "0");
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
    return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
  };
  const at = (entry, path) => path.split(".").reduce((value, key) => (value == null ? value : value[key]), entry);
  const nearest = (second) => {
    let low = 0;
    let high = series.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (series[middle].second < second) low = middle + 1;
      else high = middle;
    }
    const before = series[Math.max(0, low - 1)];
    return second - before.second < series[low].second - second ? before : series[low];
  };

  for (const plot of document.querySelectorAll("svg.plot[data-reads]")) {
    const reads = JSON.parse(plot.dataset.reads);
    const from = Number(plot.dataset.from);
    const to = Number(plot.dataset.to);
    const output = plot.parentElement.querySelector("output");
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y1", "0");
    cursor.setAttribute("y2", plot.getAttribute("height"));
    cursor.setAttribute("visibility", "hidden");
    plot.append(cursor);
    const show = (event) => {
      const box = plot.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      if (!(share >= 0 && share <= 1)) return hide();
      const entry = nearest(from + share * (to - from));
      const x = `${(100 * (entry.second - from)) / (to - from)}%`;
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      cursor.setAttribute("visibility", "visible");
      const values = reads.map(([path, name, unit]) => {
        const value = at(entry, path);
        return typeof value === "number" ? `${name} ${number.format(unit === "MB" ? value / 1e6 : value)}${unit.startsWith("/") || unit === "" ? "" : "\u202f"}${unit}` : null;
      });
      output.textContent = [clock(entry.second), ...values.filter(Boolean)].join(" \u00b7 ");
    };
    const hide = () => {
      cursor.setAttribute("visibility", "hidden");
      output.textContent = "";
    };
    plot.addEventListener("pointermove", show);
    plot.addEventListener("pointerdown", show);
    plot.addEventListener("pointerleave", hide);
  }
})();
