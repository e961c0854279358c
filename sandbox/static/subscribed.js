"use strict";
// The person has answered: the page that asked is told, and the question goes away.
const own = document.currentScript.dataset;
if (window.opener) {
  const subscribeDetails = JSON.parse(own.answers);
  window.opener.postMessage({ errMsg: "subscribe:ok", subscribeDetails }, own.back);
  window.close();
}
