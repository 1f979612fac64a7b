using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Functions.Api.Http;
using NodeStash.LocalHost.Triggers;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Access;

/// <summary>What holds for every function there is, those to come included.</summary>
public sealed partial class EveryFunctionTests(Server server) : ApiTests(server)
{
    /// <summary>How to make a record of each collection whose ids stand in routes.</summary>
    private static readonly Dictionary<string, object> Bodies = new()
    {
        ["contacts"] = new { first_name = "Jane" },
        ["companies"] = new { name = "Acme" },
        ["deals"] = new { title = "Licence" },
        ["activities"] = new { type = "note" },
        ["tags"] = new { name = "Key account" },
        ["pipelines"] = new { name = "Renewals", stages = new[] { new { name = "Won", type = "won" }, new { name = "Lost", type = "lost" } } },
        ["objects/projects/records"] = new { name = "Apollo" },
        ["custom-fields"] = new { entity_type = "contact", name = "Plan", field_type = "text" },
        ["webhooks"] = new { url = "https://hooks.example.com/in", is_enabled = false },
        ["api-keys"] = new { name = "Sync", scopes = new[] { "*" } },
    };

    /// <summary>A custom object that is there in every workspace of these tests, for routes that name one.</summary>
    private const string Slug = "projects";

    /// <summary>Collections that both environments of a workspace share (docs/api/access.md, API keys).</summary>
    private static readonly string[] OfTheWorkspace = ["api-keys"];

    private static readonly IReadOnlyList<(Function Function, string Method, string Route)> All =
    [
        .. FunctionCatalog.Of(typeof(ApiServices).Assembly).TriggeredBy<HttpTriggerAttribute>()
            .SelectMany(f => f.Trigger.Methods ?? ["get"], (f, method) => (f.Function, method.ToUpperInvariant(), f.Trigger.Route!)),
    ];

    private static readonly Dictionary<string, Operation> Operations = Operation.All.ToDictionary(operation => operation.Name, StringComparer.Ordinal);

    /// <summary>Those that take a credential of a workspace.</summary>
    private static IEnumerable<(Function Function, string Method, string Route)> OfWorkspaces => All.Where(f => OperationOf(f.Function).Scopes.Count > 0);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await DefineObject(Api);
    }

    [Fact]
    public async Task Without_a_credential_nothing_answers_but_what_is_marked_public()
    {
        foreach (var (function, method, route) in All)
        {
            var reply = await Server.Anonymous.Send(new HttpMethod(method), "/" + Fill(route, _ => "x"), null);
            if (IsPublic(function)) Assert.True(reply.Status is not (401 or 403 or >= 500), $"{function}: {reply.Status} {reply.Raw}");
            else Assert.Equal($"{function} 401", $"{function} {reply.Status}");
            if (!IsPublic(function)) reply.IsError(401, "INVALID_API_KEY");
        }
    }

    [Fact]
    public async Task With_an_irrelevant_scope_nothing_answers_and_the_declared_one_is_named()
    {
        var caller = await Api.WithScopes(["billing:read"]);
        foreach (var (function, method, route) in OfWorkspaces)
        {
            var reply = await caller.Send(new HttpMethod(method), "/" + Fill(route, _ => "x"), method is "GET" or "DELETE" ? null : "{}");
            Assert.Equal($"{function} 403", $"{function} {reply.Status}");
            Assert.Equal($"The credential lacks the scope '{OperationOf(function).Scopes[0].Name}'", reply.IsError(403, "INSUFFICIENT_SCOPE").Message);
        }
    }

    [Fact]
    public void An_operation_that_reads_asks_for_read_scopes_and_one_that_writes_for_more()
    {
        foreach (var operation in Operation.All)
        {
            Assert.All(operation.Scopes, scope => Assert.True(Scope.IsKnown(scope.Name), $"{operation.Name} asks for {scope}"));
            foreach (var scope in operation.Scopes)
                Assert.True(scope.Name.EndsWith(":read", StringComparison.Ordinal) == (operation.Method is "GET"), $"{operation.Name} asks for {scope}");
        }
    }

    [Fact]
    public void Every_function_has_an_operation_of_its_name_method_and_route()
    {
        var functions = FunctionCatalog.Of(typeof(ApiServices).Assembly).TriggeredBy<HttpTriggerAttribute>()
            .Select(f => $"{f.Function.Name} {Methods(f.Trigger)} {f.Trigger.Route}").Order(StringComparer.Ordinal);
        Assert.Equal(functions, Operation.All.Select(operation => $"{operation.Name} {operation.Method} {operation.Route}").Order(StringComparer.Ordinal));

        // A load balancer may ask with HEAD, which is a GET without its body (RFC 9110, 9.3.2).
        static string Methods(HttpTriggerAttribute trigger) => trigger.Methods is { Length: > 0 } some ? some[0].ToUpperInvariant() : "*";
    }

    [Fact]
    public void Every_operation_is_public_or_for_the_operator_or_has_scopes()
    {
        foreach (var operation in Operation.All)
        {
            var ways = new[] { operation.PublicBecause is not null, operation.IsForOperator, operation.Scopes.Count > 0 };
            Assert.True(ways.Count(way => way) == 1, operation.Name);
        }
    }

    [Fact]
    public async Task A_query_parameter_that_is_not_declared_is_refused_and_named()
    {
        foreach (var (function, method, route) in OfWorkspaces)
        {
            var reply = await Api.Send(new HttpMethod(method), $"/{Fill(route, _ => "x")}?no_such_parameter=1", method is "GET" or "DELETE" ? null : "{}");
            Assert.Contains("no_such_parameter", reply.IsError(400, "VALIDATION_ERROR").Fields);
        }
    }

    [Fact]
    public async Task A_faulty_value_of_a_declared_parameter_is_refused_and_named()
    {
        foreach (var (function, method, route) in OfWorkspaces)
        {
            foreach (var flag in OperationOf(function).Parameters.Where(parameter => parameter.Facets.Type is JsonType.Boolean or JsonType.Integer))
            {
                var reply = await Api.Send(new HttpMethod(method), $"/{Fill(route, _ => "x")}?{flag.Name}=maybe", method is "GET" or "DELETE" ? null : "{}");
                Assert.Contains(flag.Name, reply.IsError(400, "VALIDATION_ERROR").Fields);
            }
        }
    }

    [Fact]
    public async Task An_operation_heeds_If_Match_where_it_says_so_and_nowhere_else()
    {
        foreach (var (function, method, route) in OfWorkspaces.Where(f => f.Method is not "GET"))
        {
            var reply = await Api.Send(new HttpMethod(method), "/" + Fill(route, _ => "x"), method is "DELETE" ? null : "{}", ("If-Match", "no tag"));
            Assert.True(OperationOf(function).TakesIfMatch == (reply.Status is 400 && reply.Fields.Contains("If-Match")), $"{function}: {reply.Raw}");
        }
    }

    [Fact]
    public async Task An_id_of_another_workspace_or_environment_is_not_found_and_stays_untouched()
    {
        var (other, test) = ((await Server.NewWorkspace()).Owner, await Api.InTest());
        await DefineObject(other);
        await DefineObject(test);
        foreach (var (function, method, route) in All.Where(f => f.Route.Contains("{id}", StringComparison.Ordinal)))
        {
            var collection = Fill(route["v1/".Length..route.IndexOf("/{id}", StringComparison.Ordinal)], _ => "x");
            Assert.True(Bodies.ContainsKey(collection), $"Say in {nameof(Bodies)} how to make a record for {route}");
            foreach (var elsewhere in OfTheWorkspace.Contains(collection) ? [other] : new[] { other, test })
            {
                var record = await elsewhere.Create(collection, Bodies[collection]);
                var before = (await elsewhere.Get($"/v1/{collection}/{record.Id}")).Is(200);
                foreach (var path in ForeignPaths(route, record, await OwnOf(collection, route)))
                {
                    var reply = await Api.Send(new HttpMethod(method), "/" + path, method is "GET" or "DELETE" ? null : "{}");
                    Assert.Equal($"{function} 404 {path}", $"{function} {reply.Status} {path}");
                    Assert.Matches(NotInThisWorkspace(), reply.IsNotFound().Message);
                }

                var after = (await elsewhere.Get($"/v1/{collection}/{record.Id}")).Is(200);
                Assert.Equal((before.ETag, before.Data.GetRawText()), (after.ETag, after.Data.GetRawText()));
                if (collection is "custom-fields" or "tags") (await elsewhere.Delete($"/v1/{collection}/{record.Id}")).Is(204);
            }
        }
    }

    [Fact]
    public async Task An_id_of_another_form_is_invalid_everywhere()
    {
        foreach (var (function, method, route) in All.Where(f => f.Route.Contains("{id}", StringComparison.Ordinal)))
        {
            var reply = await Api.Send(new HttpMethod(method), "/" + Fill(route, _ => "x"), method is "GET" or "DELETE" ? null : "{}");
            Assert.Equal($"{function} 400", $"{function} {reply.Status}");
            Assert.EndsWith("id", Assert.Single(reply.IsError(400, "VALIDATION_ERROR").Fields), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_known_path_with_another_method_says_what_it_takes()
    {
        foreach (var group in All.Where(f => !f.Route.Contains("{*", StringComparison.Ordinal)).GroupBy(f => f.Route))
        {
            // A fixed path, such as contacts/batch, is one of an id to the other methods.
            var takes = All.Where(
                f => !f.Route.Contains("{*", StringComparison.Ordinal) && Regex.IsMatch(group.Key, $"^{Parameter().Replace(f.Route, "[^/]+")}$"))
                .Select(f => f.Method).Distinct().Order(StringComparer.Ordinal).ToList();
            foreach (var method in new[] { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE" }.Except(takes))
            {
                var reply = (await Server.Anonymous.Send(new HttpMethod(method), "/" + Fill(group.Key, _ => "x"), null)).IsError(405, "METHOD_NOT_ALLOWED");
                Assert.Equal(string.Join(", ", takes), reply.Header("Allow"));
            }
        }
    }

    /// <summary>The Functions host gives a request to the first function by name whose route and methods match.</summary>
    [Fact]
    public void No_function_is_hidden_by_one_whose_name_comes_before() =>
        Assert.Empty(RouteOrder.FindConflicts(FunctionCatalog.Of(typeof(ApiServices).Assembly).Routes()));

    private static Operation OperationOf(Function function) => Operations[function.Name];

    private static bool IsPublic(Function function) => OperationOf(function).PublicBecause is not null;

    /// <summary>A record of the caller's own, where a route names something inside one.</summary>
    private async Task<Reply?> OwnOf(string collection, string route) => InnerOf(route).Any() ? await Api.Create(collection, Bodies[collection]) : null;

    /// <summary>The route with the foreign record's ids; and with the caller's own record, but something of the foreign one inside it.</summary>
    private static IEnumerable<string> ForeignPaths(string route, Reply foreign, Reply? own)
    {
        yield return Fill(route, name => name is "id" ? foreign.Id : Inner(foreign, name));
        if (own is not null) yield return Fill(route, name => name is "id" ? own.Id : Inner(foreign, name));
    }

    private static string Inner(Reply record, string name) => name switch
    {
        "stageId" => record["stages"][0].GetProperty("id").GetString()!,
        "deliveryId" => Core.Values.Ids.Derive("dlv_", record.Id, "some event"),
        _ => throw new InvalidOperationException($"Say here where to find a {name}."),
    };

    private static IEnumerable<string> InnerOf(string route) =>
        Parameter().Matches(route).Select(m => m.Groups[1].Value).Where(name => name is not ("id" or "slug"));

    private static Task<Reply> DefineObject(Support.Running.Api api) =>
        api.Create("objects", new { singular_name = "Project", plural_name = "Projects", slug = Slug });

    private static string Fill(string route, Func<string, string> value) =>
        Parameter().Replace(route, match => match.Groups[1].Value is "slug" ? Slug : value(match.Groups[1].Value));

    [GeneratedRegex(@"\{\*?(\w+)[^}]*\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("^No [A-Za-z ]+ with id '[a-z]+_[0-9A-Za-z]{20}' in this workspace$")]
    private static partial Regex NotInThisWorkspace();
}
