using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Resources;

/// <summary>Declares the resource of custom objects, which workspaces define themselves. Source: docs/api/v1.md, Custom objects; docs/adr/0016.</summary>
public static class CustomObject
{
    /// <summary>Longest slug of a custom object, in characters.</summary>
    public const int MaxSlugLength = 64;

    /// <summary>Most custom objects of an environment, because a search over all types asks for each. Concurrent requests can create a few more.</summary>
    private const int MaxObjects = 200;

    /// <summary>The name of one record, e.g. Project.</summary>
    public static readonly TextField SingularName = new("singular_name", 100)
    {
        Description = "What one record is called.", Example = "\"Project\"",
        IsRequired = true,
    };

    /// <summary>The name of several records, e.g. Projects; the default slug is made from it.</summary>
    public static readonly TextField PluralName = new("plural_name", 100)
    {
        Description = "What several records are called.", Example = "\"Projects\"",
        IsRequired = true,
    };

    /// <summary>The name in paths and events, e.g. <c>projects</c>; unique and fixed.</summary>
    public static readonly SlugField Slug = new("slug", MaxSlugLength)
    {
        Description = "Its name in paths and events; made from the plural name if absent.", Example = "\"projects\"",
        Access = FieldAccess.CreateOnly, Filter = FilterKind.Exact, Refuses = Reserved,
    };

    /// <summary>The name of an icon for clients to show.</summary>
    public static readonly TextField Icon = new("icon", 100)
    {
        Description = "The name of an icon to show.", Example = "\"folder\"",
    };

    /// <summary>The custom fields, by display order. Rules keep it equal to their definitions.</summary>
    public static readonly DefinitionsField Fields = new("fields")
    {
        Description = "Custom fields to define with it.", Example = "[{\"name\":\"Budget\",\"field_type\":\"number\"}]",
        Access = FieldAccess.CreateOnly,
    };

    /// <summary>The schema. Deleting a custom object deletes its fields, and by force its records.</summary>
    public static Schema Schema { get; } = new("object", "obj_", "objects", [SingularName, PluralName, Slug, Icon, Fields])
    {
        Noun = "custom object",
        EventNoun = "object",
        Uniques = [new Unique("slug", Slug.Of, record => $"A custom object with slug '{Slug.Of(record)}' already exists in this workspace", "slug")],
        Decide = Decide,
    };

    /// <summary>Finds the definition of a custom object by its slug or id; null if there is none.</summary>
    public static async ValueTask<StoredRecord?> Find(string slugOrId, IWorkspaceStore store, CancellationToken ct)
    {
        var id = Ids.IsId(slugOrId, Schema.Prefix) ? slugOrId : await store.FindOwner(UniqueKeyOf(slugOrId), ct);
        return id is null ? null : await store.Find(Schema.Type, id, ct);
    }

    /// <summary>Returns the unique key that a custom object holds while it exists.</summary>
    public static string UniqueKeyOf(string slug) => $"object:slug:{slug}";

    /// <summary>Returns all custom objects of an environment, ordered by slug.</summary>
    public static async ValueTask<IReadOnlyList<ObjectDefinition>> All(IWorkspaceStore store, CancellationToken ct) =>
        (await store.Memoized<IReadOnlyList<ObjectDefinition>>(
        Schema.Type,
        "all",
        async inner =>
        {
            var page = await store.Query(
                new RecordQuery(Schema.Type, Condition.Always, [new SortKey(new KeyPath(Schema.CreatedAt.Name), false)], null, 2 * MaxObjects), inner);
            return [.. page.Records.Select(ObjectDefinition.Load).OrderBy(definition => definition.Slug, StringComparer.Ordinal)];
        },
        ct))!;

    /// <summary>Updates the fields that a custom object shows after a change of one of them. Adds an error if a new field names no custom object.</summary>
    public static async ValueTask UpdateFields(Change ofField, CancellationToken ct)
    {
        var slug = CustomField.EntityType.Of(ofField.Subject)!;
        if (await Find(slug, ofField.Store, ct) is not { } stored)
        {
            if (ofField.Before is null)
                ofField.Errors.Add(CustomField.EntityType.Name,
                    $"Expected one of {string.Join(", ", CustomField.EntityType.Choices)}, or the slug of a custom object; there is no '{slug}'");
            return;
        }

        var before = Record.Load(Schema, stored);
        var after = before.Next();
        if (ofField.After is { } field) field[field.Schema.UpdatedAt] = Text.ToSecond(ofField.Now);
        var shown = Fields.Of(before).Where(one => one.GetProperty("id").GetString() != ofField.Subject.Id).ToList();
        if (ofField.After is not null) shown.Add(Shown(ofField.After));
        if (shown.Count > DefinitionsField.MaxFields)
            ofField.Errors.Add(CustomField.EntityType.Name, $"A custom object has at most {DefinitionsField.MaxFields} fields: delete one first");
        after[Fields] = InOrder(shown);
        ofField.With.Add(ofField.Beside(before, after));
    }

    private static async ValueTask<Error?> Decide(Change change, CancellationToken ct)
    {
        if (change.After is null) return await Remove(change, Slug.Of(change.Before!)!, ct);
        return change.Before is null ? await Define(change, change.After, ct) : null;
    }

    private static async ValueTask<Error?> Define(Change change, Record definition, CancellationToken ct)
    {
        if (Slug.Of(definition) is null)
        {
            definition[Slug] = Text.ToSlug(PluralName.Of(definition)!, MaxSlugLength);
            if (Slug.Of(definition) is not { } made) change.Errors.Add(Slug.Name, "No slug can be made from this plural name: give one");
            else if (Reserved(made) is { } problem)
                change.Errors.Add(Slug.Name, $"No slug is given, and the one made from the plural name can't be used: {problem}");
            if (change.Errors.Any) return null;
        }

        var slug = Slug.Of(definition)!;
        var pending = change.Pending;
        if (pending.Conflicts(CustomRecord.AllOf(slug)) || pending.Conflicts(CustomField.AllOf(slug)))
            return Error.Conflict(
                $"The records or fields of a deleted custom object with slug '{slug}' are still being deleted; try again in a moment", Slug.Name);
        change.Writes.Add(pending.Touch().Write());
        if (await change.Store.Count(Schema.Type, Condition.Always, ct) >= MaxObjects)
            return Error.Conflict($"A workspace has at most {MaxObjects} custom objects: delete one first");

        var fields = Fields.Of(definition)
            .Select(given => CustomField.Of(slug, given, change.Ids.New(CustomField.Schema.Prefix), change.Now, new ValidationErrors())).ToList();
        change.With.AddRange(fields.Select(field => change.Beside(null, field)));
        definition[Fields] = InOrder(fields.Select(Shown));
        return null;
    }

    /// <summary>Deletes the records and fields of a custom object, and clears relations to its records. Refuses if it has records, unless forced.</summary>
    private static async ValueTask<Error?> Remove(Change change, string slug, CancellationToken ct)
    {
        var records = CustomRecord.AllOf(slug);
        if (!change.IsForced)
        {
            if (await change.Store.WithArchived.Count(records.Type, Condition.Always, ct) is > 0 and var count)
            {
                var archived = count - await change.Store.Count(records.Type, Condition.Always, ct);
                var some = $"{count} {(count == 1 ? "record" : "records")}{(archived > 0 ? $", of which {archived} archived" : "")}";
                return Error.Conflict($"'{slug}' has {some}; ?force=true deletes them with it");
            }

            change.Guards.Add(new Guard.NoneMatch(records.Type, Condition.Always));
        }

        change.Cascades.AddRange(await Relations.ClearAllOf(slug, change.Store, ct));
        change.Cascades.Add(CustomField.AllOf(slug));
        if (change.IsForced) change.Cascades.Add(records);
        return null;
    }

    /// <summary>As they are displayed.</summary>
    private static List<JsonElement> InOrder(IEnumerable<JsonElement> fields) =>
        [.. fields.OrderBy(field => field.GetProperty(CustomField.DisplayOrder.Name).GetInt64())
            .ThenBy(field => field.GetProperty("id").GetString(), StringComparer.Ordinal)];

    private static JsonElement Shown(Record field) => JsonElement.Parse(field.Store().Attributes.Span);

    /// <summary>Whether a slug is taken by the API: it would clash with built-in events, paths or types.</summary>
    internal static bool IsReserved(string slug) => ReservedSlugs.All.Contains(slug) || Ids.IsAnyId(slug);

    private static string? Reserved(string slug) => IsReserved(slug) ? $"'{slug}' is reserved by the API: choose another slug" : null;

    /// <summary>Lists the slugs that the API uses: resources, types, nouns of events and parts of paths, those of <c>/api</c> included.</summary>
    private static class ReservedSlugs
    {
        public static readonly HashSet<string> All =
        [
            .. Crm.Catalog.All.SelectMany(schema => new[] { schema.Type, schema.EventNoun, schema.Collection.Replace('-', '_') }).OfType<string>(),
            .. EventPattern.Nouns,
            "schema", "merge_contacts", "object_config", "bulk", "restore", "batch", "merge", "timeline",
            "tasks", "task", "note", "notes", "contact_notes", "deal_notes", "company_notes", "configuration", "automation_rules", "crm_users",
            "companies_summary", "contacts_summary",
            "stage", "stages", "pipeline_stages", "record", "records", "fields", "custom_field", "custom_field_definition", "custom_field_value", "delivery",
            "deliveries", "event", "events", "search", "search_result",
            "workspace", "workspaces", "user", "users", "job", "jobs", "automation", "automations", "rule", "rules", "oauth", "oauth_client", "oauth_clients",
            "billing", "usage", "wide_changes",
        ];
    }
}

/// <summary>Summarizes a custom object for other resources.</summary>
/// <param name="Slug">The slug of the custom object.</param>
/// <param name="Relations">The slugs of its fields of type relation.</param>
public sealed record ObjectDefinition(string Slug, IReadOnlyList<string> Relations)
{
    /// <summary>Reads a custom object from its stored record.</summary>
    public static ObjectDefinition Load(StoredRecord stored)
    {
        var record = Record.Load(CustomObject.Schema, stored);
        var relations = CustomObject.Fields.Of(record).Where(field => field.GetProperty(CustomField.FieldType.Name).ValueEquals(FieldDefinition.Relation));
        return new ObjectDefinition(CustomObject.Slug.Of(record)!, [.. relations.Select(field => field.GetProperty(CustomField.Slug.Name).GetString()!)]);
    }
}

/// <summary>Holds the fields of a custom object, by display order. Clients give them on create; answers show them as custom field definitions.</summary>
public sealed class DefinitionsField(string name) : Field(name)
{
    /// <summary>Most fields of a custom object: the most names that the custom fields of a record can have.</summary>
    public const int MaxFields = MapField.MaxNames;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Array) { MaxItems = MaxFields, Items = new(JsonType.Object) { Members = CustomField.OfAnObject } };

    /// <inheritdoc/>
    public override object? EmptyValue => Array.Empty<JsonElement>();

    /// <summary>Returns the fields of a record as JSON objects; empty if it has none.</summary>
    public IReadOnlyList<JsonElement> Of(Record record) => (IReadOnlyList<JsonElement>?)record[this] ?? [];

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Array) return errors.WrongType(path, "an array of fields", json);
        if (json.GetArrayLength() > MaxFields) return errors.Add(path, $"At most {MaxFields} fields");
        var slugs = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, given) in json.EnumerateArray().Index())
        {
            var (at, inner) = ($"{path}[{i}]", new ValidationErrors());
            if (given.ValueKind is not JsonValueKind.Object)
            {
                errors.WrongType(at, "an object with name and field_type", given);
                continue;
            }

            var field = CustomField.Of(entityType: "", given, id: "", default, inner);
            if (CustomField.Slug.Of(field) is { } slug && !slugs.Add(slug))
                inner.Add(CustomField.Slug.Name, $"Another field of this object has the slug '{slug}': choose another slug");
            foreach (var problem in inner.All) errors.Add($"{at}.{problem.Field}", problem.Message);
        }

        return json.EnumerateArray().ToList();
    }

    /// <inheritdoc/>
    public override object? Load(JsonElement json) => json.EnumerateArray().ToList();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartArray();
        foreach (var field in (IReadOnlyList<JsonElement>)value) field.WriteTo(writer);
        writer.WriteEndArray();
    }

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be used as a filter");

    /// <inheritdoc/>
    public override bool Same(object? left, object? right) =>
        ((IReadOnlyList<JsonElement>?)left ?? []).SequenceEqual(
            (IReadOnlyList<JsonElement>?)right ?? [], EqualityComparer<JsonElement>.Create(JsonElement.DeepEquals));
}
