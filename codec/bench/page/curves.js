// Rate-distortion curves with a tip at the nearest point.
(function () {
  if (!data.curves.length) return;
  show("curves");
  const width = 1000, height = 560, left = 64, right = 16, top = 12, bottom = 48;
  const colours = ["#c1121f", "#457b9d", "#2a9d8f", "#e9a03b", "#7b5ea7", "#5a6b7b", "#d1698a", "#4f772d", "#0077b6", "#9c6644"];
  const plot = byId("plot"), tip = byId("tip");
  const hidden = new Set();
  let marks = [];
  plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const colour = (index) => colours[index % colours.length];
  const metric = () => data.metrics[byId("metric").value];
  // The curves of a file stand where those of the means stand in the legend.
  const chosen = () => {
    const own = data.item_curves[byId("item").value - 1];
    return own ? data.curves.map((mean) => own.curves.find((curve) => curve.label === mean.label) || { ...mean, points: [] }) : data.curves;
  };
  const known = (curve) => curve.points.filter((point) => typeof point.metrics[metric().key] === "number");

  function ticks(low, high) {
    const step = 10 ** Math.floor(Math.log10((high - low) / 4));
    const fit = [1, 2, 5, 10].map((factor) => factor * step).find((each) => (high - low) / each <= 8);
    const found = [];
    for (let k = Math.ceil(low / fit); k * fit <= high + fit * 1e-9; k++) found.push(Number((k * fit).toPrecision(10)));
    return found;
  }

  function draw() {
    const curves = chosen().map((curve, index) => ({ curve, index, points: known(curve) }))
      .filter((each) => each.points.length && !hidden.has(each.index));
    marks = [];
    plot.replaceChildren();
    tip.hidden = true;
    if (!curves.length) return;
    const logarithmic = byId("log").checked;
    const measured = curves.filter((each) => each.curve.measured);
    const frame = (measured.length ? measured : curves).flatMap((each) => each.points);
    const values = frame.map((point) => point.metrics[metric().key]);
    const rates = frame.map((point) => point.bpp);
    const margin = (Math.max(...values) - Math.min(...values)) * 0.04 || 1;
    const [v0, v1] = [Math.min(...values) - margin, Math.max(...values) + margin];
    const r1 = Math.max(...rates) * 1.03, r0 = logarithmic ? Math.min(...rates) * 0.9 : 0;
    const place = (rate) => logarithmic ? Math.log(rate / r0) / Math.log(r1 / r0) : (rate - r0) / (r1 - r0);
    const x = (rate) => left + place(rate) * (width - left - right);
    const y = (value) => height - bottom - (value - v0) / (v1 - v0) * (height - top - bottom);
    const text = (words, at) => element("svg:text", at, [words]);
    const decades = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];
    for (const rate of logarithmic ? decades.filter((each) => each > r0 && each < r1) : ticks(r0, r1)) {
      plot.append(element("svg:line", { class: "grid", x1: x(rate), x2: x(rate), y1: top, y2: height - bottom }));
      plot.append(text(rate, { x: x(rate), y: height - bottom + 20, "text-anchor": "middle" }));
    }
    for (const value of ticks(v0, v1)) {
      plot.append(element("svg:line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
      plot.append(text(value, { x: left - 8, y: y(value) + 4, "text-anchor": "end" }));
    }
    plot.append(text("bits per pixel, whole files", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }));
    plot.append(text(metric().label, { transform: `translate(16 ${height / 2}) rotate(-90)`, "text-anchor": "middle" }));
    const clip = element("svg:clipPath", { id: "inside" }, [
      element("svg:rect", { x: left, y: top, width: width - left - right, height: height - top - bottom })]);
    const inside = element("svg:g", { "clip-path": "url(#inside)" });
    plot.append(clip, inside);
    for (const { curve, index, points } of curves) {
      const path = points.map((point) => `${x(point.bpp)},${y(point.metrics[metric().key])}`).join(" ");
      const style = { points: path, fill: "none", stroke: colour(index), "stroke-width": curve.measured ? 2 : 1.5 };
      if (!curve.measured) style["stroke-dasharray"] = "7 5";
      inside.append(element("svg:polyline", style));
      for (const point of points) {
        const [cx, cy] = [x(point.bpp), y(point.metrics[metric().key])];
        if (cx > width - right || cy < top || cy > height - bottom) continue;
        const mark = element("svg:circle", { class: "mark", cx, cy, r: curve.measured ? 4 : 2.5, fill: colour(index) });
        inside.append(mark);
        marks.push({ mark, cx, cy, curve, point });
      }
    }
  }

  function words(near) {
    const { curve, point } = near;
    const lines = [curve.label, `${point.bpp.toFixed(4)} bpp`];
    if (point.value !== null && curve.knob) lines[0] += `  ${curve.knob} ${point.value}`;
    for (const each of data.metrics)
      if (typeof point.metrics[each.key] === "number") lines.push(`${each.label}: ${point.metrics[each.key].toFixed(4)}`);
    if (typeof point.kbps === "number") lines.push(`${point.kbps.toFixed(1)} kbit/s`);
    if (point.encode_s !== null) lines.push(`encode ${point.encode_s.toFixed(3)} s, decode ${point.decode_s.toFixed(3)} s`);
    return lines.join("\n");
  }

  function hover(event) {
    const box = plot.getBoundingClientRect();
    const [px, py] = [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
    const distance = (each) => Math.hypot(each.cx - px, each.cy - py);
    const near = marks.reduce((best, each) => best && distance(best) <= distance(each) ? best : each, null);
    for (const each of marks) each.mark.classList.toggle("near", each === near && distance(near) < 40);
    tip.hidden = !near || distance(near) >= 40;
    if (tip.hidden) return;
    tip.textContent = words(near);
    const across = near.cx / width * box.width;
    tip.style.left = `${across > box.width * 0.65 ? across - tip.offsetWidth - 14 : across + 14}px`;
    tip.style.top = `${Math.max(0, near.cy / height * box.height - tip.offsetHeight / 2)}px`;
  }

  function legend() {
    byId("legend").replaceChildren(...data.curves.map((curve, index) => {
      const line = element("svg:line", { x1: 0, x2: 28, y1: 5, y2: 5, stroke: colour(index), "stroke-width": 3 });
      if (!curve.measured) line.setAttribute("stroke-dasharray", "7 4");
      const button = element("button", { "aria-pressed": "true", title: curve.source || "measured here" }, [
        element("svg:svg", {}, [line]), curve.label]);
      button.addEventListener("click", () => {
        if (!hidden.delete(index)) hidden.add(index);
        button.setAttribute("aria-pressed", String(!hidden.has(index)));
        draw();
      });
      return element("li", {}, [button]);
    }));
  }

  fillSelect(byId("metric"), data.metrics.map((each) => each.label), 0);
  fillSelect(byId("item"), ["mean", ...data.item_curves.map((each) => each.item)], 0);
  byId("item-label").hidden = !data.item_curves.length;
  byId("item").addEventListener("change", draw);
  byId("metric").addEventListener("change", draw);
  byId("log").addEventListener("change", draw);
  plot.addEventListener("pointermove", hover);
  plot.addEventListener("pointerleave", () => { tip.hidden = true; });
  const sources = [...new Set(data.curves.map((curve) => curve.source).filter(Boolean))];
  if (sources.length) byId("sources").textContent = `Dashed curves were not measured here: ${sources.join("; ")}`;
  legend();
  draw();
})();
