
"use strict";
(() => {
  const words = document.getElementById("words").dataset;
  const table = document.getElementById("findings-table");
  const details = [...document.querySelectorAll("details")];
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // The page is whole without this script, so all is open; with it, evidence waits to be asked for.
  const open = (state) => details.forEach((part) => { part.open = state; });
  let before = null;
  addEventListener("beforeprint", () => { before = details.map((part) => part.open); open(true); });
  addEventListener("afterprint", () => { before?.forEach((state, i) => { details[i].open = state; }); });
  open(false);
  if (!table) return;

  const body = table.tBodies[0];
  const rows = [...body.rows];
  const articles = new Map([...document.querySelectorAll("article")].map((part) => [part.dataset.n, part]));
  const text = new Map(rows.map((row) => {
    const article = articles.get(row.dataset.n);
    return [row, `${row.textContent} ${article ? article.textContent : ""}`.toLowerCase()];
  }));

  const search = make("input", { type: "search", placeholder: words.search });
  search.setAttribute("aria-label", words.search);
  const legendList = document.querySelector(".levels");
  const boxes = [...legendList.children].map((item) => {
    const value = item.firstElementChild.classList[1];
    const box = make("input", { type: "checkbox", checked: true, value });
    return [box, make("label", {}, box, ...item.cloneNode(true).childNodes)];
  });
  legendList.hidden = true;
  const legend = make("legend", { className: "unseen" }, words.filter);
  const levels = make("fieldset", {}, legend, ...boxes.map(([, label]) => label));
  const count = make("p", { className: "count" });
  count.setAttribute("role", "status");
  const shown = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const allowed = new Set(boxes.filter(([box]) => box.checked).map(([box]) => box.value));
    let n = 0;
    for (const row of rows) {
      const fits = allowed.has(row.dataset.level) && wanted.every((word) => text.get(row).includes(word));
      row.hidden = !fits;
      const article = articles.get(row.dataset.n);
      if (article) article.hidden = !fits;
      n += fits;
    }
    count.textContent = words.shown.replace("{n}", n).replace("{all}", rows.length);
  };
  search.addEventListener("input", shown);
  levels.addEventListener("change", shown);

  const button = (label, state) => {
    const element = make("button", { type: "button" }, label);
    element.addEventListener("click", () => open(state));
    return element;
  };
  table.before(make("div", { className: "tools" }, search, levels, count));
  document.querySelector("#details > h2").after(
    make("div", { className: "tools" }, button(words.open, true), button(words.close, false)),
  );
  shown();

  const value = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent.trim();
  [...table.tHead.rows[0].cells].forEach((cell, i) => {
    const name = cell.textContent;
    const head = make("button", { type: "button", title: words.sort.replace("{column}", name) }, name);
    head.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const order = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
      rows.sort((a, b) => {
        const [x, y] = [value(a, i), value(b, i)];
        const sign = x !== "" && y !== "" && !isNaN(x) && !isNaN(y) ? x - y : order(x, y);
        return down ? -sign : sign;
      });
      body.append(...rows);
    });
    cell.replaceChildren(head);
  });
})();
