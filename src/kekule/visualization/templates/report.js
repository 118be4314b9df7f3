// The page reads well without this: it only marks the section in view, filters and sorts rows.
(function () {
  "use strict";
  var links = {};
  document.querySelectorAll("nav.contents a").forEach(function (link) {
    links[link.hash.slice(1)] = link;
  });
  if ("IntersectionObserver" in window) {
    var watcher = new IntersectionObserver(
      function (entries) {
        entries.forEach(function (entry) {
          if (!entry.isIntersecting) return;
          Object.keys(links).forEach(function (id) {
            links[id].classList.toggle("here", id === entry.target.id);
          });
        });
      },
      { rootMargin: "-15% 0px -75% 0px" }
    );
    document.querySelectorAll("main section[id]").forEach(function (section) {
      watcher.observe(section);
    });
  }
  var box = document.getElementById("only-wrong");
  if (box) {
    box.closest("label").hidden = false;
    box.addEventListener("change", function () {
      document.getElementById("rows").classList.toggle("only-wrong", box.checked);
    });
    window.addEventListener("hashchange", function () {
      var row = document.getElementById(location.hash.slice(1));
      if (box.checked && row && row.matches("tr:not(.wrong)")) box.click();
    });
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      if (!head.hasAttribute("data-sort")) return;
      var button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var words = head.dataset.sort === "words";
        var now = head.getAttribute("aria-sort");
        var down = now ? now === "ascending" : !words;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var rows = Array.prototype.slice.call(table.tBodies[0].rows);
        rows.sort(function (a, b) {
          var x = a.cells[column].dataset.value, y = b.cells[column].dataset.value;
          if (x === "" || y === "") return (x === "") - (y === ""); // undefined ones stay last
          return (down ? -1 : 1) * (words ? x.localeCompare(y) : x - y);
        });
        rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
      });
    });
  });
})();
