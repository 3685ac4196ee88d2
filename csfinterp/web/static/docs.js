// Starts Swagger UI on /docs with our own description; nothing is loaded from elsewhere and nothing is sent to a validator.
window.addEventListener("load", () => {
  const place = document.getElementById("swagger-ui");
  SwaggerUIBundle({
    url: place.dataset.description,
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
  });
});
