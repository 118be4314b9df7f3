// The page reads well without this: it only marks the section in view and filters rows.
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
})();
