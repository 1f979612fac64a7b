using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Functions.Api.Http;
using NodeStash.Functions.Api.Tests.Running;
using NodeStash.LocalHost.Triggers;

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

    /// <summary>Collections that both environments of a workspace share (contract/access.md, API keys).</summary>
    private static readonly string[] OfTheWorkspace = ["api-keys"];

    private static readonly IReadOnlyList<(Function Function, string Method, string Route)> All =
    [
        .. FunctionCatalog.Of(typeof(ApiServices).Assembly).TriggeredBy<HttpTriggerAttribute>()
            .SelectMany(f => f.Trigger.Methods ?? ["get"], (f, method) => (f.Function, method.ToUpperInvariant(), f.Trigger.Route!)),
    ];

    public override async Task InitializeAsync()
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
    public async Task With_an_irrelevant_scope_nothing_answers_and_the_lacking_one_is_named()
    {
        var caller = await Api.WithScopes(["billing:read"]);
        foreach (var (function, method, route) in All.Where(f => !IsPublic(f.Function) && !IsForOperator(f.Function)))
        {
            var reply = await caller.Send(new HttpMethod(method), "/" + Fill(route, _ => "x"), method is "GET" or "DELETE" ? null : "{}");
            Assert.Equal($"{function} 403", $"{function} {reply.Status}");
            Assert.Matches(NamesAScope(), reply.IsError(403, "INSUFFICIENT_SCOPE").Message);
        }
    }

    [Fact]
    public async Task What_reads_asks_for_a_read_scope_and_what_writes_for_more()
    {
        var caller = await Api.WithScopes(["billing:read"]);
        foreach (var (function, method, route) in All.Where(f => !IsPublic(f.Function) && !IsForOperator(f.Function)))
        {
            var scope = NamesAScope().Match((await caller.Send(new HttpMethod(method), "/" + Fill(route, _ => "x"), method is "GET" or "DELETE" ? null : "{}")).Message).Groups[1].Value;
            Assert.True(scope.EndsWith(":read", StringComparison.Ordinal) == (method is "GET"), $"{function} asks for {scope}");
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
            var takes = All.Where(f => !f.Route.Contains("{*", StringComparison.Ordinal) && Regex.IsMatch(group.Key, $"^{Parameter().Replace(f.Route, "[^/]+")}$")).Select(f => f.Method).Distinct().Order(StringComparer.Ordinal).ToList();
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
        Assert.Empty(RouteOrder.Faults(FunctionCatalog.Of(typeof(ApiServices).Assembly).Routes()));

    private static bool IsForOperator(Function function) => function.Method.IsDefined(typeof(ForOperatorAttribute));

    private static bool IsPublic(Function function) => function.Method.GetCustomAttribute<PublicAttribute>() is not null;

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
        "deliveryId" => Core.Records.Ids.Derive("dlv_", record.Id, "some event"),
        _ => throw new InvalidOperationException($"Say here where to find a {name}."),
    };

    private static IEnumerable<string> InnerOf(string route) => Parameter().Matches(route).Select(m => m.Groups[1].Value).Where(name => name is not ("id" or "slug"));

    private static Task<Reply> DefineObject(Running.Api api) => api.Create("objects", new { singular_name = "Project", plural_name = "Projects", slug = Slug });

    private static string Fill(string route, Func<string, string> value) => Parameter().Replace(route, match => match.Groups[1].Value is "slug" ? Slug : value(match.Groups[1].Value));

    [GeneratedRegex(@"\{\*?(\w+)[^}]*\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("lacks the scope '([a-z_:]+)'")]
    private static partial Regex NamesAScope();

    [GeneratedRegex("^No [A-Za-z ]+ with id '[a-z]+_[0-9A-Za-z]{20}' in this workspace$")]
    private static partial Regex NotInThisWorkspace();
}
