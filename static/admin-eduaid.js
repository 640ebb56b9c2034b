/* The stock admin: one box ticks every column of an export. */
(function () {
  "use strict";
  document.addEventListener("change", function (event) {
    if (!event.target.hasAttribute("data-tick-all")) { return; }
    document.querySelectorAll(".selectable-field-export-row input[type=checkbox]").forEach(function (box) {
      if (box !== event.target) { box.checked = event.target.checked; }
    });
  });
}());
