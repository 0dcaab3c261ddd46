// What the console's pages need beside unfold's own scripts. No page has a script in it (Content-Security-Policy).
"use strict";
// <form data-confirm="Sure?"> asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset ? event.target.dataset.confirm : "";
  if (question && !window.confirm(question)) event.preventDefault();
});
