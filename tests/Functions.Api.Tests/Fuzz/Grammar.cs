using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>Valid requests of every route there is, with what the schemas in the catalog say of bodies and lists.</summary>
internal sealed class Grammar(Pool pool, string key)
{
    private static readonly string[] Times = ["2026-01-15T10:30:00Z", "2026-01-15", "2026-01-15T10:30:00.123+02:00", "1999-12-31T23:59:59-11:00"];
    private static readonly string[] Texts = ["Jane", "O'Neil 100%", "Ünïcödé 漢字 😀", "a", "x y_z", "Acme"];
    /// <summary>Custom fields by slug, each of one type with values that fit; those of no type are never defined.</summary>
    private static readonly Dictionary<string, (string? Type, string[] Values)> Custom = new()
    {
        ["x"] = ("select", ["\"a\"", "\"b\""]), ["m"] = ("multi_select", ["[\"a\"]", "[\"b\",\"a\"]"]),
        ["n"] = ("number", ["5", "-1.5", "1e3", "9007199254740993"]), ["d"] = ("date", ["\"2026-01-15\""]), ["b"] = ("boolean", ["true", "false"]),
        ["t"] = ("text", ["\"Ünïcödé\"", "\"\""]), ["u"] = ("url", ["\"https://example.com/\""]), ["e"] = ("email", ["\"jane@acme.com\""]),
        ["p"] = ("phone", ["\"+49 30 1\""]), ["s1"] = (null, ["null", "1", "\"text\"", "true"]),
        ["r"] = (FieldDefinition.Relation, []), ["s2"] = (null, ["[\"a\",1]", "{\"deep\":[{}]}", "[]"]),
    };

    private static readonly string[] Slugs = [.. Custom.Keys];

    /// <summary>Slugs of custom objects.</summary>
    private static readonly string[] Objects = ["projects", "houses"];

    /// <summary>What relations lead to.</summary>
    private static readonly string[] Related = ["ct_", "co_", "dl_", "act_", "rec_"];

    private static readonly string[] Operators = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "contains", "starts_with", "exists"];

    /// <summary>Every route, new ones included; those that make records more often, so that there is something to aim at.</summary>
    private static readonly IReadOnlyList<(string Method, string Route)> Routes =
    [
        .. FunctionCatalog.Of(typeof(ApiServices).Assembly).TriggeredBy<HttpTriggerAttribute>()
            .SelectMany(f => f.Trigger.Methods ?? ["get"], (f, method) => (Method: method.ToUpperInvariant(), Route: f.Trigger.Route!))
            .OrderBy(r => r.Route, StringComparer.Ordinal).ThenBy(r => r.Method, StringComparer.Ordinal)
            .SelectMany(r => Enumerable.Repeat(r, r.Method is "POST" ? 3 : 1)),
    ];

    /// <summary>A valid request of some route, as far as what it aims at still exists.</summary>
    public FuzzRequest Make(Random random)
    {
        var (method, route) = random.Pick(Routes);
        var slug = random.Pick(Objects);
        var schema = route.StartsWith("v1/objects/{slug}/records", StringComparison.Ordinal) ? CustomRecord.Of(slug)
            : Crm.Catalog.All.FirstOrDefault(s => route == $"v1/{s.Collection}" || route.StartsWith($"v1/{s.Collection}/", StringComparison.Ordinal));
        var id = pool.Id(random, schema?.Prefix ?? "ct_");
        var segments = route.Split('/').Select(part => part switch
        {
            "{id}" => id,
            "{slug}" => schema == CustomObject.Schema && random.OneIn(2) ? id : slug,
            "{stageId}" => pool.StageOf(random, id),
            _ when part.StartsWith('{') => pool.AnyId(random),
            _ => part,
        }).ToList();
        var writes = method is "POST" or "PATCH" or "PUT" or "DELETE";
        var headers = new List<(string, string)> { ("Authorization", $"Bearer {key}") };
        if (method is "POST" or "PATCH" or "PUT") headers.Add(("Content-Type", random.OneIn(8) ? "application/json; charset=utf-8" : "application/json"));
        if (writes && random.OneIn(20)) headers.Add(("Idempotency-Key", $"k{random.Next(500)}"));
        if (writes && random.OneIn(15)) headers.Add(("If-Match", random.Pick(["\"1\"", "\"2\"", "*"])));
        if (!writes && random.OneIn(15)) headers.Add(("If-None-Match", "\"1\""));
        return new FuzzRequest(method, route, segments, [.. QueryOf(random, method, route, schema)],
            method is "POST" or "PATCH" or "PUT" ? Body(random, method, route, schema) : null, headers);
    }

    private IEnumerable<(string, string)> QueryOf(Random random, string method, string route, Schema? schema)
    {
        // A deletion is mostly dry, or little would be left to aim at.
        if (method is not "GET" && (method is "DELETE" ? !random.OneIn(3) : random.OneIn(10))) yield return ("dry_run", random.Pick(["true", "false"]));
        if (route is "v1/custom-fields/{id}" && method is "PATCH" && random.OneIn(3)) yield return ("force", "true");
        if (route is "v1/objects/{slug}" && method is "DELETE" && random.OneIn(3)) yield return ("force", "true");
        if (method is not "GET" || schema is null && route is not "v1/events") yield break;
        if (route is "v1/events")
        {
            if (random.OneIn(3)) yield return ("type", random.Pick(["contact.created", "deal.stage_changed", "field.updated"]));
            if (random.OneIn(3)) yield return ("record_id", pool.AnyId(random));
            if (random.OneIn(3)) yield return ("created_at[gte]", Escaped(random.Pick(Times)));
            if (random.OneIn(3)) yield return ("limit", random.Next(1, 101).ToString(CultureInfo.InvariantCulture));
            yield break;
        }

        var isOne = route.EndsWith("{id}", StringComparison.Ordinal) || route is "v1/objects/{slug}";
        var isList = !isOne && !route.Contains("{id}", StringComparison.Ordinal);
        if (random.OneIn(4) && schema!.Includes.Count > 0 && (isList || isOne))
            yield return ("include", string.Join(',', schema.Includes.Where(_ => random.OneIn(2)).Select(i => i.Name)));
        if (random.OneIn(8) && (isList || isOne))
            yield return ("fields", string.Join(',', schema!.Fields.Where(f => f.Access is not FieldAccess.Internal && random.OneIn(3)).Select(f => f.Name)));
        if (random.OneIn(4) && (isList || route.EndsWith("/timeline", StringComparison.Ordinal)))
            yield return ("limit", random.Next(1, 101).ToString(CultureInfo.InvariantCulture));
        if (!isList) yield break;
        if (random.OneIn(2)) yield return ("sort", string.Join(',', Sorts(random, schema!)));
        for (var i = random.Next(3); i > 0; i--) yield return Filter(random, schema!);
    }

    private static IEnumerable<string> Sorts(Random random, Schema schema)
    {
        var keys = schema.Fields.Where(f => f.IsSortable).Select(f => f.Name)
            .Concat(schema.CustomFields is null ? [] : Slugs.Select(slug => $"custom_fields[{slug}]")).ToList();
        return Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Pick(keys)).Distinct().Select(name => random.OneIn(2) ? "-" + name : name);
    }

    private (string, string) Filter(Random random, Schema schema)
    {
        if (schema.CustomFields is not null && random.OneIn(3))
            return ($"custom_fields[{random.Pick(Slugs)}]{(random.OneIn(3) ? "" : $"[{random.Pick(Operators)}]")}",
                Escaped(random.Pick(["a", "5", "true", "2026-01-15", "1.5", "b,c"])));
        if (schema.Links.Where(l => l.IsChecked).ToList() is { Count: > 0 } links && random.OneIn(4))
        {
            var link = random.Pick(links);
            var (name, value) = Filter(random, Crm.Catalog.Find(link.TargetType));
            return name.Contains('.', StringComparison.Ordinal) ? (link.Name, pool.Id(random, link.Prefix)) : ($"{link.Name[..^"_id".Length]}.{name}", value);
        }

        var field = random.Pick([.. schema.Fields.Where(f => f.HasKey && f is not MapField)]);
        var text = Key(random, field);
        if (field.Filter is not FilterKind.None && random.OneIn(2)) return (field.Name, Escaped(text));
        var op = field is TextListField
            ? random.Pick(["eq", "neq", "in", "exists"])
            : random.Pick(field is TextField ? Operators : [.. Operators.Where(o => o is not ("contains" or "starts_with"))]);
        return ($"{field.Name}[{op}]", Escaped(op is "exists" ? "true" : text));
    }

    private string Key(Random random, Field field) => Value(random, field) is JsonText.Scalar scalar ? scalar.Text.Trim('"') : "a";

    private JsonText Body(Random random, string method, string route, Schema? schema)
    {
        if (route.EndsWith("/custom-fields", StringComparison.Ordinal) && method is "PUT")
            return random.OneIn(2) ? CustomFields(random) : JsonText.ObjectOf(("fields", CustomFields(random)));
        if (route.EndsWith("/batch", StringComparison.Ordinal)) return Batch(random, schema!);
        if (route.EndsWith("/merge", StringComparison.Ordinal))
            return JsonText.ObjectOf(
                ("source_ids", new JsonText.Array([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => JsonText.Of(pool.Id(random, schema!.Prefix)))])),
                ("target_id", JsonText.Of(pool.Id(random, schema!.Prefix))));
        if (route.Contains("rotate", StringComparison.Ordinal)) return JsonText.ObjectOf(("grace_seconds", new JsonText.Scalar("60")));
        if (route.EndsWith("/recover", StringComparison.Ordinal) || route.EndsWith("/replay", StringComparison.Ordinal))
            return JsonText.ObjectOf(("since", JsonText.Of(Core.Values.Text.Format(DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime)))));
        if (route.Contains("/stages", StringComparison.Ordinal)) return Stage(random, "open");
        if (schema is null) return JsonText.ObjectOf(("id", JsonText.Of(pool.AnyId(random))));
        var given = schema.Fields.Where(f => f.Access switch
        {
            FieldAccess.ReadWrite => f.IsRequired && method is "POST" || random.OneIn(3),
            FieldAccess.CreateOnly => method is "POST" && (f.IsRequired || random.OneIn(2)),
            _ => false,
        }).Select(f => (f.Name, Value(random, f))).ToList();
        if (schema == CustomField.Schema && method is "POST") return Definition(random);
        if (schema == CustomObject.Schema && method is "POST")
            given = [.. given.Where(member => member.Name is not "slug"), ("slug", JsonText.Of(random.Pick(Objects)))];
        return new JsonText.Object(given);
    }

    private JsonText Batch(Random random, Schema schema) => JsonText.ObjectOf(
        ("operations", new JsonText.Array([.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Operation(random, schema))])),
        ("atomic", new JsonText.Scalar(random.OneIn(2) ? "true" : "false")));

    private JsonText Operation(Random random, Schema schema)
    {
        var id = ("id", JsonText.Of(pool.Id(random, schema.Prefix)));
        return random.Next(4) switch
        {
            0 => JsonText.ObjectOf(("op", JsonText.Of("update")), id, ("data", Body(random, "PATCH", "", schema))),
            1 when random.OneIn(3) => JsonText.ObjectOf(("op", JsonText.Of("delete")), id),
            2 when schema.Uniques is [var unique, ..] =>
                JsonText.ObjectOf(("op", JsonText.Of("upsert")), ("match_on", JsonText.Of(unique.Field)), ("data", Body(random, "POST", "", schema))),
            _ => JsonText.ObjectOf(("op", JsonText.Of("create")), ("data", Body(random, "POST", "", schema))),
        };
    }

    private static JsonText Stage(Random random, string type) =>
        JsonText.ObjectOf(("name", JsonText.Of(random.Pick(Texts))), ("type", JsonText.Of(type)),
            ("position", new JsonText.Scalar(random.Next(5).ToString(CultureInfo.InvariantCulture))));

    private JsonText CustomFields(Random random) => new JsonText.Object([.. Slugs.Where(_ => random.OneIn(4)).Select(slug =>
        (slug, Custom[slug].Values is [] ? JsonText.Of(pool.Id(random, random.Pick(Related))) : JsonText.Parse(random.Pick(Custom[slug].Values))))]);

    private static JsonText.Object Definition(Random random, bool isOfObject = false)
    {
        var (slug, (type, _)) = random.Pick([.. Custom.Where(c => c.Value.Type is not null)]);
        var entityType = type is FieldDefinition.Relation || random.OneIn(4) ? random.Pick(Objects) : random.Pick(CustomField.EntityType.Choices);
        (string, JsonText)[] of = isOfObject ? [] : [("entity_type", JsonText.Of(entityType))];
        var members = new List<(string, JsonText)>(
            of) { ("name", JsonText.Of(random.Pick(Texts))), ("slug", JsonText.Of(slug)), ("field_type", JsonText.Of(type!)) };
        if (type!.Contains("select", StringComparison.Ordinal)) members.Add(("options", JsonText.Parse(random.Pick(["""["a","b"]""", """["b","a","c"]"""]))));
        if (random.OneIn(40)) members.Add(("is_required", new JsonText.Scalar("true")));
        return new JsonText.Object(members);
    }

    private JsonText Value(Random random, Field field) => field switch
    {
        ChoiceField choice => JsonText.Of(random.Pick(choice.Choices)),
        EmailField => JsonText.Of($"e{random.Next(200)}@acme.com"),
        DefinitionsField => new JsonText.Array([.. Enumerable.Range(0, random.Next(3)).Select(_ => Definition(random, isOfObject: true))]),
        EntityTypeField => JsonText.Of(random.Pick(CustomField.EntityType.Choices)),
        SlugField => JsonText.Of(random.Pick(Slugs)),
        ColorField => JsonText.Of("#1F6FEB"),
        CurrencyField => JsonText.Of(random.Pick(["EUR", "USD", "JPY"])),
        LinkField { TargetType: "pipeline_stage" } => JsonText.Of(pool.Id(random, Core.Resources.Stage.Prefix)),
        LinkField link => JsonText.Of(pool.Id(random, link.Prefix)),
        FlagField => new JsonText.Scalar(field == Core.Webhooks.Webhook.IsEnabled || field == CustomField.IsRequired || random.OneIn(2) ? "false" : "true"),
        MoneyField => new JsonText.Scalar(random.Pick(["0", "48000.00", "-1.5", "\"9999999999999.99\"", "1e3"])),
        IntegerField => new JsonText.Scalar(random.Next(100).ToString(CultureInfo.InvariantCulture)),
        DateField => JsonText.Of("2026-01-15"),
        TimeField when field == Core.Access.ApiKey.ExpiresAt => JsonText.Of("2099-01-15"),
        TimeField => JsonText.Of(random.Pick(Times)),
        MapField { IsCustomFields: true } => CustomFields(random),
        MapField => JsonText.Parse(random.Pick(["{}", "{\"a\":1}", "{\"a\":null,\"b\":[{\"c\":\"😀\"}]}"])),
        StagesField =>
            new JsonText.Array(
                [Stage(random, "open"), Stage(random, "won"), Stage(random, "lost"),
                    .. Enumerable.Range(0, random.Next(3)).Select(_ => Stage(random, "open"))]),
        TextListField =>
            JsonText.Parse(
                field.Name switch
                {
                    "scopes" => """["contacts:read"]""",
                    "events" => """["deal.*"]""",
                    "options" => random.Pick(["""["a","b"]""", """["a"]""", """["c","d","e"]"""]),
                    _ => random.Pick(["""["a","b"]""", "[]", """["Ä😀"]"""])
                }),
        _ when field == Core.Webhooks.Webhook.Url => JsonText.Of("https://127.0.0.1:9/in"),
        _ when field == Tag.Name => JsonText.Of(random.Pick(["a", "b", "c", "Ä😀"])),
        _ => JsonText.Of(field == Company.Domain ? $"d{random.Next(200)}.acme.com" : random.Pick(Texts)),
    };

    private static string Escaped(string text) => Uri.EscapeDataString(text);
}
