"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function element(name, attributes, children) {
  const made = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  for (const child of children || []) made.append(child);
  return made;
}

function fillSelect(select, labels, chosen) {
  select.replaceChildren(...labels.map((label, index) => element("option", { value: index }, [label])));
  select.value = chosen;
}

// rows: arrays of cells; numbers are set to the right, null is a dash.
function fillTable(table, heads, rows) {
  const cell = (name, value, number) =>
    element(name, number ? { class: "number" } : {}, [value === null || value === undefined ? "–" : value]);
  const numeric = heads.map((head, column) => rows.some((row) => row[column] && row[column].number));
  const head = element("tr", {}, heads.map((text, column) => cell("th", text, numeric[column])));
  const body = rows.map((row) =>
    element("tr", {}, row.map((value, column) =>
      cell("td", value && value.number ? value.number : value, numeric[column]))));
  table.replaceChildren(element("thead", {}, [head]), element("tbody", {}, body));
}

// A figure for a table, or null where there is none.
function figure(value, digits, unit) {
  return value === null || value === undefined ? null : { number: value.toFixed(digits) + (unit || "") };
}

function show(id) {
  byId(id).hidden = false;
}

document.title = data.title;
byId("title").textContent = data.title;
byId("summary").textContent = data.summary;
