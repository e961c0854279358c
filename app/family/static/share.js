// The card that a forwarded page becomes. Whatever fails here, the page is there without it.
(function () {
  "use strict";
  var own = document.currentScript;
  if (!window.wx || !own || !window.fetch) return;
  var here = location.href.split("#")[0];
  fetch(own.dataset.signature + "?url=" + encodeURIComponent(here), { credentials: "same-origin" })
    .then(function (answer) { return answer.ok ? answer.json() : null; })
    .then(function (signed) {
      if (!signed) return;
      var card = {
        title: document.title,
        desc: own.dataset.sentence,
        // Without the query: a mark of who was sent it is nobody else's.
        link: location.origin + location.pathname,
        imgUrl: signed.picture
      };
      window.wx.config({
        debug: false,
        appId: signed.appId,
        timestamp: signed.timestamp,
        nonceStr: signed.nonceStr,
        signature: signed.signature,
        jsApiList: ["updateAppMessageShareData", "updateTimelineShareData"]
      });
      window.wx.ready(function () {
        window.wx.updateAppMessageShareData(card);
        window.wx.updateTimelineShareData({
          title: card.title, link: card.link, imgUrl: card.imgUrl
        });
      });
    })
    .catch(function () {});
})();
