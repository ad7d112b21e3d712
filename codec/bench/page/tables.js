// Tables: BD figures against a chosen anchor, speed, metrics of a comparison, failures, settings.
(function () {
  function deltas() {
    const labels = data.curves.map((curve) => curve.label);
    const anchor = labels[byId("anchor").value], metric = data.metrics[byId("delta-metric").value];
    const chosen = data.deltas.filter((delta) => delta.anchor === anchor && delta.metric === metric.key);
    const items = [...new Set(chosen.map((delta) => delta.item).filter(Boolean))];
    const rows = chosen.filter((delta) => !delta.item).map((delta) => {
      const digits = metric.key === "ms_ssim" ? 4 : 2;
      const overlap = delta.low === null ? delta.note : { number: `${delta.low.toFixed(digits)} to ${delta.high.toFixed(digits)}` };
      const signed = (value, places, unit) => value === null ? null
        : { number: (value > 0 ? "+" : "") + value.toFixed(places) + unit };
      const own = items.map((item) => {
        const found = chosen.find((each) => each.item === item && each.test === delta.test);
        return found ? signed(found.rate_percent, 1, " %") : null;
      });
      return [delta.test, signed(delta.rate_percent, 1, " %"), signed(delta.gain, digits === 4 ? 4 : 3, ""), overlap, ...own];
    });
    fillTable(byId("delta-table"), ["curve", "BD-rate", "BD-quality", "overlap", ...items], rows);
  }

  if (data.deltas.length) {
    show("deltas");
    fillSelect(byId("anchor"), data.curves.map((curve) => curve.label), data.anchor);
    fillSelect(byId("delta-metric"), data.metrics.map((each) => each.label), 0);
    byId("anchor").addEventListener("change", deltas);
    byId("delta-metric").addEventListener("change", deltas);
    byId("delta-note").textContent = data.delta_note;
    deltas();
  }
  if (data.speed.length) {
    show("speed");
    const frames = data.speed.some((each) => each.encode_fps !== null);
    const heads = ["codec", "encode", "decode", "encode, megapixels/s", "decode, megapixels/s"];
    fillTable(byId("speed-table"), frames ? [...heads, "encode, frames/s", "decode, frames/s"] : heads,
      data.speed.map((each) => [each.label, figure(each.encode_s, 3, " s"), figure(each.decode_s, 3, " s"),
        figure(each.encode_mpx_s, 2), figure(each.decode_mpx_s, 2),
        ...(frames ? [figure(each.encode_fps, 1), figure(each.decode_fps, 1)] : [])]));
    byId("speed-note").textContent = data.speed_note;
  }
  if (data.comparison.length) {
    show("comparison");
    fillTable(byId("comparison-table"), ["file", "bytes", "bpp", ...data.metrics.map((each) => each.label)],
      data.comparison.map((each) => [each.label, figure(each.bytes, 0), figure(each.bpp, 4),
        ...data.metrics.map((metric) => figure(each.metrics[metric.key], 4))]));
  }
  if (data.troubles.length) {
    show("troubles");
    fillTable(byId("trouble-table"), ["what", "why"], data.troubles.map((each) => [each.what, each.why]));
  }
  if (data.settings.length) {
    show("settings");
    fillTable(byId("settings-table"), ["codec", "settings", "versions", "for example"],
      data.settings.map((each) => [each.label, each.settings, each.versions, each.command]));
    byId("command").textContent = data.command;
  }
})();
