// The platform's button that allows a message. Whatever fails here, the page says what to do instead.
(function () {
  "use strict";
  var own = document.currentScript;
  if (!window.wx || !own || !window.fetch) return;
  var here = location.href.split("#")[0];
  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }
  function show() {
    each(".ask", function (ask) { ask.hidden = false; });
    each(".without", function (line) { line.hidden = true; });
  }
  function listen(tag) {
    var said = tag.parentElement.nextElementSibling;
    function tell(sentence) {
      said.textContent = said.dataset[sentence];
      said.hidden = false;
    }
    tag.addEventListener("success", function (event) {
      // {"TEMPLATE": '{"status":"accept"}'}: the count itself comes from the platform's event.
      var answers = JSON.stringify((event.detail || {}).subscribeDetails || "");
      tell(answers.indexOf("accept") >= 0 ? "yes" : "no");
    });
    tag.addEventListener("error", function () { tell("trouble"); });
  }
  fetch(own.dataset.signature + "?url=" + encodeURIComponent(here), { credentials: "same-origin" })
    .then(function (answer) { return answer.ok ? answer.json() : null; })
    .then(function (signed) {
      if (!signed) return;
      each("wx-open-subscribe", listen);
      window.wx.config({
        debug: false,
        appId: signed.appId,
        timestamp: signed.timestamp,
        nonceStr: signed.nonceStr,
        signature: signed.signature,
        jsApiList: [],
        openTagList: ["wx-open-subscribe"]
      });
      window.wx.ready(show);
    })
    .catch(function () {});
})();
