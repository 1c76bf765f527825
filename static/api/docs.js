// The API's description, to read and to try with the session of the desk.

const place = document.getElementById("api");

window.SwaggerUIBundle({
  url: place.dataset.schema,
  dom_id: "#api",
  deepLinking: true,
  requestInterceptor(request) {
    if (new URL(request.url, location).origin === location.origin && request.method !== "GET") {
      request.headers["X-CSRFToken"] = place.dataset.csrf;
    }
    return request;
  },
});
