// The page around GraphiQL: who asks about which business. `/?business=salon#token=…` fills both in; the token stays in the
// fragment, which no browser sends to a server, until it is read, and then in this tab alone.
(function () {
  "use strict";

  const TOKEN = "bookable:token";
  const query = (from, to) => `# Bookable. Say above which business you mean; with a token you are staff.
#
# Ctrl-Space completes, Ctrl-Enter runs, and the book on the left has every type.

query Catalogue {
  business { name timeZone currency }
  services {
    id
    name
    durationMinutes
    price { amount currency }
    providers { id name }
  }
}

# What is free, told anew whenever it changes: fill in the id of a service and the days, and run it.
subscription Free {
  availability(input: {
    serviceId: "svc_…"
    from: "${from}"
    to: "${to}"
  }) {
    slots { startsAt providers { name } seatsLeft }
  }
}
`;

  const form = document.getElementById("who");
  const businessField = document.getElementById("business");
  const tokenField = document.getElementById("token");
  const status = document.getElementById("status");
  const search = new URLSearchParams(location.search);
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = (name) => fragment.get(name) || search.get(name);
  // A link to an operation: `/?business=salon&query=…`.
  const linked = search.get("query") || undefined;

  businessField.value = given("business") || "";
  tokenField.value = given("token") || sessionStorage.getItem(TOKEN) || "";

  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  let client = null;

  function headers() {
    const business = businessField.value.trim();
    const token = tokenField.value.trim();
    return Object.assign(
      {},
      business && { "X-Business": business },
      token && { Authorization: "Bearer " + token },
    );
  }

  function remember() {
    const business = businessField.value.trim();
    sessionStorage.setItem(TOKEN, tokenField.value.trim());
    history.replaceState(null, "", business ? "/?business=" + encodeURIComponent(business) : "/");
  }

  function fetcher() {
    const wsUrl = location.origin.replace(/^http/, "ws") + "/graphql";
    if (client) client.dispose();
    client = graphqlWs.createClient({
      url: wsUrl,
      lazy: true,
      connectionParams: () => ({ business: businessField.value.trim() || null, token: tokenField.value.trim() || null }),
      on: {
        connected: () => { status.textContent = "live"; },
        closed: (event) => { status.textContent = event.code && event.code !== 1000 ? "closed: " + event.code + " " + event.reason : ""; },
      },
    });
    return GraphiQL.createFetcher({ url: "/graphql", headers: headers(), wsClient: client });
  }

  function render(defaultQuery) {
    remember();
    const key = JSON.stringify(headers());
    root.render(React.createElement(GraphiQL, { key, fetcher: fetcher(), defaultQuery, query: linked, shouldPersistHeaders: false }));
  }

  // The server's clock may be another than ours.
  function sample(now) {
    const midnight = (days) => new Date(now.getTime() + days * 86400000).toISOString().slice(0, 10) + "T00:00:00Z";
    return query(midnight(1), midnight(8));
  }

  async function start() {
    let now = new Date();
    try {
      now = new Date((await (await fetch("/healthz")).json()).clock);
    } catch (error) {
      status.textContent = "the server does not answer";
    }
    const text = sample(now);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      render(text);
    });
    render(text);
  }

  start();
})();
