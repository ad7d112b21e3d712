// Two pictures over each other, and a line between them that follows the pointer.
(function () {
  if (!data.pictures.length) return;
  show("slider");
  const frame = byId("frame"), stage = byId("stage"), over = byId("over"), under = byId("under");
  const chosen = () => data.pictures[byId("picture").value];

  function move(percent) {
    const share = Math.min(100, Math.max(0, percent));
    byId("position").value = share;
    over.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    byId("bar").style.left = `${share}%`;
  }

  function caption(version) {
    const parts = [version.label];
    if (version.knob) parts[0] += ` (${version.knob} ${version.value})`;
    if (version.bytes) parts.push(`${version.bytes} bytes`);
    if (version.bpp) parts.push(`${version.bpp.toFixed(3)} bpp`);
    for (const each of data.metrics) {
      const value = (version.metrics || {})[each.key];
      if (typeof value === "number") parts.push(`${each.label} ${value.toFixed(each.key === "ms_ssim" ? 4 : 2)}`);
    }
    return parts.join("  ·  ");
  }

  function display() {
    const versions = chosen().versions;
    for (const [side, image] of [["left", over], ["right", under]]) {
      const version = versions[byId(side).value];
      image.src = version.uri;
      image.alt = version.label;
      byId(`${side}-caption`).textContent = caption(version);
    }
  }

  function change() {
    const labels = chosen().versions.map((version) => version.label);
    const before = ["left", "right"].map((side) => byId(side).selectedOptions[0]?.textContent);
    fillSelect(byId("left"), labels, Math.max(0, labels.indexOf(before[0] ?? labels[1] ?? labels[0])));
    fillSelect(byId("right"), labels, Math.max(0, labels.indexOf(before[1] ?? labels[2] ?? labels[0])));
    zoom();
    display();
  }

  function zoom() {
    const factor = Number(byId("zoom").value), { width, height } = chosen();
    const whole = `min(100%, ${84 * width / height}vh)`;
    frame.style.width = factor ? `${width * factor / window.devicePixelRatio}px` : whole;
    frame.style.aspectRatio = `${width} / ${height}`;
    frame.classList.toggle("pixels", factor > 1);
  }

  function follow(event) {
    const box = frame.getBoundingClientRect();
    move((event.clientX - box.left) / box.width * 100);
  }

  fillSelect(byId("picture"), data.pictures.map((picture) => picture.name), 0);
  byId("picture").addEventListener("change", change);
  byId("zoom").addEventListener("change", zoom);
  byId("left").addEventListener("change", display);
  byId("right").addEventListener("change", display);
  byId("position").addEventListener("input", (event) => move(Number(event.target.value)));
  frame.addEventListener("pointerdown", (event) => { frame.setPointerCapture(event.pointerId); follow(event); });
  frame.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
  byId("view-note").textContent = data.view_note;
  change();
  move(50);
})();
