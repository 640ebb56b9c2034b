/* eduaid: progressive enhancement only; every job can be finished without this file. Floor: Chromium 86. */
(function () {
  "use strict";
  var doc = document, root = doc.documentElement;
  root.classList.add("js");

  function all(selector, within) { return Array.prototype.slice.call((within || doc).querySelectorAll(selector)); }
  function say(text) { var box = doc.getElementById("say"); if (box) { box.textContent = ""; setTimeout(function () { box.textContent = text; }, 50); } }

  /* Error summary: the focus goes to it when the page opens; its links put the focus into the field. */
  function focusErrors(within) {
    var box = (within || doc).querySelector("[data-focus]");
    if (box) { box.focus(); }
  }
  doc.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest(".errors a[href^='#']");
    if (!link) { return; }
    var field = doc.getElementById(link.getAttribute("href").slice(1));
    if (!field) { return; }
    event.preventDefault();
    var control = field.matches("input,select,textarea,button,a") ? field : field.querySelector("input,select,textarea") || field;
    var label = control.labels && control.labels[0];
    (label || control).scrollIntoView({ block: "center" });
    control.focus({ preventScroll: true });
  });

  /* A form is sent once: a second press within four seconds is ignored. */
  doc.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.hasAttribute("data-repeat") || event.defaultPrevented) { return; }
    if (form.getAttribute("data-sent")) { event.preventDefault(); return; }
    form.setAttribute("data-sent", "1");
    setTimeout(function () { form.removeAttribute("data-sent"); }, 4000);
  });
  window.addEventListener("pageshow", function () { all("form[data-sent]").forEach(function (form) { form.removeAttribute("data-sent"); }); });

  /* Files: drop anywhere on the box; names and sizes are listed; too large or unknown kinds are named before they travel. */
  function size(bytes) { return bytes < 1048576 ? Math.max(1, Math.round(bytes / 1024)) + " KB" : (bytes / 1048576).toFixed(1) + " MB"; }
  function listFiles(box, input) {
    var list = box.querySelector(".picked"), limit = Number(box.getAttribute("data-max-mb") || 50) * 1048576;
    var kinds = (input.getAttribute("accept") || "").split(",").map(function (s) { return s.trim().toLowerCase(); }).filter(function (s) { return s[0] === "."; });
    if (!list) { return; }
    list.textContent = "";
    Array.prototype.forEach.call(input.files, function (file) {
      var row = doc.createElement("li"), name = doc.createElement("span"), note = doc.createElement("span"), dot = file.name.lastIndexOf(".");
      var known = !kinds.length || kinds.indexOf(file.name.slice(dot).toLowerCase()) >= 0;
      name.textContent = file.name;
      note.className = "tag " + (file.size > limit || !known ? "tag-bad" : "tag-mute");
      note.textContent = !known ? "■ 不是表格文件" : file.size > limit ? "■ 超过 " + limit / 1048576 + " MB" : size(file.size);
      row.appendChild(name); row.appendChild(note); list.appendChild(row);
    });
    say("已选择 " + input.files.length + " 个文件");
  }
  function setUpDrop(box) {
    var input = box.querySelector("input[type=file]");
    if (!input || box.getAttribute("data-ready")) { return; }
    box.setAttribute("data-ready", "1");
    input.addEventListener("change", function () { listFiles(box, input); });
    ["dragenter", "dragover"].forEach(function (kind) {
      box.addEventListener(kind, function (event) { event.preventDefault(); box.classList.add("is-over"); });
    });
    ["dragleave", "drop"].forEach(function (kind) {
      box.addEventListener(kind, function (event) { event.preventDefault(); if (kind === "drop" || !box.contains(event.relatedTarget)) { box.classList.remove("is-over"); } });
    });
    box.addEventListener("drop", function (event) {
      if (!event.dataTransfer || !event.dataTransfer.files.length) { return; }
      input.files = event.dataTransfer.files;
      listFiles(box, input);
      if (box.hasAttribute("data-send") && input.form) { input.form.requestSubmit(); }
    });
  }

  /* One box ticks all rows of the page; the bar names how many are ticked. */
  doc.addEventListener("change", function (event) {
    var box = event.target, form = box.form;
    if (box.type !== "checkbox" || !form) { return; }
    var rows = all("input[type=checkbox][data-row]", form);
    if (box.hasAttribute("data-all")) { rows.forEach(function (row) { row.checked = box.checked; }); }
    if (!box.hasAttribute("data-all") && !box.hasAttribute("data-row")) { return; }
    var ticked = rows.filter(function (row) { return row.checked; }).length;
    all("[data-ticked]", form).forEach(function (place) { place.textContent = String(ticked); });
    rows.forEach(function (row) { var tr = row.closest("tr"); if (tr) { tr.classList.toggle("is-picked", row.checked); } });
    all("input[data-all]", form).forEach(function (head) { head.checked = ticked === rows.length; head.indeterminate = ticked > 0 && ticked < rows.length; });
  });

  /* Copy a text for a message or a report; insecure intranet addresses have no clipboard object. */
  function copied(button) { var was = button.textContent; button.textContent = "已复制"; say("已复制"); setTimeout(function () { button.textContent = was; }, 2000); }
  doc.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-copy]");
    if (!button) { return; }
    var source = doc.getElementById(button.getAttribute("data-copy")), text = source.value || source.textContent.trim();
    if (navigator.clipboard && window.isSecureContext) { navigator.clipboard.writeText(text).then(function () { copied(button); }); return; }
    var area = doc.createElement("textarea");
    area.value = text; area.className = "vh"; doc.body.appendChild(area); area.select();
    if (doc.execCommand("copy")) { copied(button); }
    area.remove(); button.focus();
  });
  doc.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("[data-print]")) { window.print(); }
  });

  /* A shown number hides itself again after the seconds that the server allows. */
  function setUpReveal(box) {
    setTimeout(function () { box.textContent = box.getAttribute("data-then") || "已重新隐藏"; }, Number(box.getAttribute("data-hide-after")) * 1000);
  }

  /* Error grid: after a row was saved, the next field that waits gets the focus; a row still wrong keeps it. */
  function goOn(row) {
    var grid = row.closest("[data-next-on-enter]"), inputs, at;
    if (!grid || row.tagName !== "TR") { return; }
    if (row.classList.contains("is-bad")) { var own = row.querySelector("input:not([type=hidden])"); if (own) { own.focus(); } return; }
    inputs = all("input[aria-invalid=true]", grid);
    at = inputs.filter(function (input) { return row.compareDocumentPosition(input) & Node.DOCUMENT_POSITION_FOLLOWING; })[0];
    if (at || inputs[0]) { (at || inputs[0]).focus(); }
    say("已保存");
  }

  doc.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      all("details.menu[open]").forEach(function (menu) { menu.open = false; menu.querySelector("summary").focus(); });
    }
  });
  doc.addEventListener("click", function (event) {
    all("details.menu[open]").forEach(function (menu) { if (!menu.contains(event.target)) { menu.open = false; } });
  });

  /* Single keys work only while the focus is inside the panel that names them, and never while somebody types (WCAG 2.1.4). */
  doc.addEventListener("keydown", function (event) {
    var panel = event.target.closest && event.target.closest("[data-keys]"), key = event.key.toLowerCase(), found;
    if (!panel || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.target.matches("input:not([type=hidden]),select,textarea")) { return; }
    found = all("[data-key]", panel).filter(function (one) { return one.getAttribute("data-key") === key; })[0];
    if (found) { event.preventDefault(); found.click(); }
  });

  /* A spoken line that is polled speaks at most every five seconds. */
  var spokeAt = 0;
  function speakSlowly(line) {
    if (!line || Date.now() - spokeAt < 5000) { return; }
    spokeAt = Date.now(); say(line.textContent);
  }

  function setUp(within) {
    all("[data-drop]", within).forEach(setUpDrop);
    all("[data-hide-after]", within).forEach(setUpReveal);
    if (within.matches && within.matches("[data-drop]")) { setUpDrop(within); }
  }
  doc.addEventListener("htmx:load", function (event) {
    var part = event.detail.elt;
    if (part === doc.body) { return; }
    setUp(part); goOn(part); focusErrors(part); speakSlowly(doc.querySelector("[data-slow-live]"));
  });
  doc.addEventListener("htmx:sendError", function () { say("网络不通，请稍后再试"); });
  doc.addEventListener("htmx:responseError", function () { say("没有保存成功，请刷新页面再试"); });

  setUp(doc); focusErrors(doc);
}());
