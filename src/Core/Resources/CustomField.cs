using System.Buffers;
using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Declares the resource of custom field definitions: its fields and rules. Source: docs/api/v1.md, Custom fields.</summary>
public static class CustomField
{
    /// <summary>Longest slug of a custom field, in characters.</summary>
    public const int MaxSlugLength = 100;

    /// <summary>The resource that has the field, e.g. <c>contact</c> or the slug of a custom object.</summary>
    public static readonly EntityTypeField EntityType = new("entity_type", "contact", "company", "deal", "activity")
    {
        Description = "The resource that has the field: contact, company, deal, activity, or the slug of a custom object.", Example = "\"contact\"",
        Access = FieldAccess.CreateOnly, IsRequired = true, Filter = FilterKind.Exact,
    };

    /// <summary>The name that users see.</summary>
    public static readonly TextField Name = new("name", 200)
    {
        Description = "The name of the field for people.", Example = "\"Plan\"",
        IsRequired = true, IsSortable = true,
    };

    /// <summary>The name in <c>custom_fields</c>; unique among the fields of a resource.</summary>
    public static readonly SlugField Slug = new("slug", MaxSlugLength)
    {
        Description = "Its name in custom_fields; made from the name if absent.", Example = "\"plan\"",
        Access = FieldAccess.CreateOnly, Filter = FilterKind.Exact,
    };

    /// <summary>The type of the values, e.g. <c>text</c>; fixed once the field is defined.</summary>
    public static readonly ChoiceField FieldType = new(
        "field_type", "text", "number", "boolean", "date", "select", "multi_select", "url", "email", "phone", FieldDefinition.Relation)
    {
        Description = "The type of its values.",
        Access = FieldAccess.CreateOnly, IsRequired = true,
    };

    /// <summary>The purpose of the field, in words for users.</summary>
    public static readonly TextField Description = new("description", 1000)
    {
        Description = "What the field is for.", Example = "\"The plan that the customer pays for\"",
    };

    /// <summary>Whether a new record must have a value; existing records may lack one.</summary>
    public static readonly FlagField IsRequired = new("is_required")
    {
        Description = "Whether a new record must have a value; false if absent.",
        Default = false,
    };

    /// <summary>The choices of a select or multi_select field; null for other types.</summary>
    public static readonly TextListField Options = new("options", max: 200, maxLength: 200)
    {
        Description = "The choices of a select or multi_select field.", Example = "[\"Basic\",\"Pro\"]",
        IsNullable = true,
    };

    /// <summary>The place among the fields of a resource; lower comes first.</summary>
    public static readonly IntegerField DisplayOrder = new("display_order", 0, int.MaxValue)
    {
        Description = "Its place among the fields; 0 if absent.", Example = "1",
        Default = 0L, IsSortable = true,
    };

    /// <summary>The schema. Deleting a definition clears its values in all records.</summary>
    public static Schema Schema { get; } = new("custom_field_definition", "cf_", "custom-fields",
        [EntityType, Name, Slug, FieldType, Description, IsRequired, Options, DisplayOrder])
    {
        Noun = "custom field",
        EventNoun = "field",
        Uniques =
        [
            new Unique("slug", record => $"{EntityType.Of(record)}:{Slug.Of(record)}",
                record => $"A custom field with slug '{Slug.Of(record)}' already exists for {EntityType.Of(record)} in this workspace", "slug"),
        ],
        Decide = Decide,
        CascadesOnDelete = field => [FieldOperations.ClearValues(field)],
    };

    /// <summary>The form of a field that a client defines together with its custom object.</summary>
    public static Form OfAnObject => new(Name, Slug, FieldType, Description, IsRequired, Options, DisplayOrder);

    /// <summary>Returns the definitions of a resource's custom fields in an environment, by display order.</summary>
    public static async ValueTask<IReadOnlyList<FieldDefinition>> DefinitionsOf(Schema schema, IWorkspaceStore store, CancellationToken ct) =>
        schema.EventNoun is { } entityType
            ? (await store.Memoized<IReadOnlyList<FieldDefinition>>(
                Schema.Type, entityType, async inner => await ReadDefinitions(entityType, store, inner), ct))!
            : [];

    /// <summary>Reads the definition of a field that a client gives with a custom object.</summary>
    /// <param name="entityType">The resource that gets the field, e.g. the slug of a custom object.</param>
    /// <param name="given">The JSON object, without an entity_type.</param>
    /// <param name="id">The id of the definition, <c>cf_…</c></param>
    /// <param name="now">The time of creation.</param>
    /// <param name="errors">Receives validation errors.</param>
    internal static Record Of(string entityType, JsonElement given, string id, DateTimeOffset now, ValidationErrors errors)
    {
        var field = Record.New(Schema, id, now);
        Input.Read(Schema, given, current: null, errors).ApplyTo(field, errors);
        if (EntityType.Of(field) is not null) errors.Add(EntityType.Name, "Set by the server to this custom object: leave it out");
        field[EntityType] = entityType;
        foreach (var required in Schema.Fields.Where(f => f.IsRequired && field[f] is null && !errors.Within(f.Name))) errors.Add(required.Name, "Required");
        Complete(field, errors);
        return field;
    }

    /// <summary>Returns the cascade that deletes all field definitions of an entity type.</summary>
    internal static Cascade AllOf(string entityType) => new(Schema, new KeyPath(EntityType.Name), [entityType], DeletesRecords: true);

    private static async ValueTask<IReadOnlyList<FieldDefinition>> ReadDefinitions(string entityType, IWorkspaceStore store, CancellationToken ct)
    {
        var query = new RecordQuery(
            Schema.Type, new Condition.Equal(new KeyPath(EntityType.Name), entityType), [new SortKey(new KeyPath(DisplayOrder.Name), false)], null, 100);
        var definitions = new List<FieldDefinition>();
        while (true)
        {
            var page = await store.Query(query, ct);
            definitions.AddRange(page.Records.Select(FieldDefinition.Load));
            if (page.Next is null) return definitions;
            query = query with { After = page.Next };
        }
    }

    private static async ValueTask<Error?> Decide(Change change, CancellationToken ct)
    {
        var isBuiltIn = EntityType.IsBuiltIn(EntityType.Of(change.Subject));
        if (change.After is not { } field)
        {
            if (!isBuiltIn) await CustomObject.UpdateFields(change, ct);
            return null;
        }

        Complete(field, change.Errors);
        if (isBuiltIn && FieldType.Of(field) is FieldDefinition.Relation)
            change.Errors.Add(FieldType.Name, "Only fields of custom objects can be of type relation");

        if (change.Before is null && Slug.Of(field) is { } slug && change.Pending.Conflicts(FieldOperations.ClearValues(field)))
            return Error.Conflict($"The values of a deleted field with slug '{slug}' are still being cleared; try again in a moment", Slug.Name);
        if (!isBuiltIn && (change.Before is not { } was || field.ChangedSince(was).Any())) await CustomObject.UpdateFields(change, ct);
        if (change.Errors.Any || change.Before is not { } before || !TakesOptions(field)) return null;
        return await RemoveOptions([.. Options.Of(before).ExceptBy(Options.Of(field).Select(Text.Fold), Text.Fold)], field, change, ct);
    }

    /// <summary>Makes a slug from the name if none is given, and validates the definition.</summary>
    private static void Complete(Record field, ValidationErrors errors)
    {
        if (Slug.Of(field) is null && Name.Of(field) is { } name && !errors.Within(Slug.Name))
        {
            field[Slug] = Text.ToSlug(name, MaxSlugLength);
            if (field[Slug] is null) errors.Add(Slug.Name, "No slug can be made from this name: give one");
        }

        if (FieldType.Of(field) is not null) CheckOptions(field, errors);
    }

    /// <summary>Validates the options of a definition.</summary>
    private static void CheckOptions(Record field, ValidationErrors errors)
    {
        var takesOptions = TakesOptions(field);
        if (takesOptions && Options.Of(field).Count == 0 && !errors.Within(Options.Name))
            errors.Add(Options.Name, $"Required for a field of type {FieldType.Of(field)}");
        if (Options.Of(field) is var options && options.DistinctBy(Text.Fold).Count() < options.Count)
            errors.Add(Options.Name, "Two options differ only in case: remove or rename one");
        if (!takesOptions && field[Options] is not null) errors.Add(Options.Name, "Only for fields of type select and multi_select");
    }

    private static bool TakesOptions(Record field) => FieldType.Of(field) is "select" or "multi_select";

    /// <summary>Refuses to remove options that records still have, unless the client forces it: then a cascade clears them in the records.</summary>
    private static async ValueTask<Error?> RemoveOptions(IReadOnlyList<string> removed, Record field, Change change, CancellationToken ct)
    {
        if (removed.Count == 0) return null;
        var cascade = FieldOperations.ClearOptions(field, removed);
        if (change.IsForced)
        {
            change.Cascades.Add(cascade);
            return null;
        }

        if (change.Pending.Conflicts(cascade)) return Error.CascadeInProgress;
        change.Guards.Add(new Guard.NoneMatch(cascade.Type, cascade.Matches));
        return await change.Store.WithArchived.Count(cascade.Type, cascade.Matches, ct) is > 0 and var count
            ? Error.Conflict($"{Quoted(removed)} is in use by {count} {cascade.Schema.Collection}; ?force=true clears it there", Options.Name)
            : null;
    }

    private static string Quoted(IReadOnlyList<string> options) =>
        options.Count == 1
            ? $"The option '{options[0]}'"
            : $"One of the options {string.Join(", ", options.Take(5).Select(o => $"'{o}'"))}{(options.Count > 5 ? ", …" : "")}";
}

/// <summary>Holds a slug: <c>^[a-z][a-z0-9_]*$</c>.</summary>
public sealed class SlugField(string name, int maxLength) : TextField(name, maxLength)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { MaxLength = MaxLength, Pattern = "^[a-z][a-z0-9_]*$" };

    /// <summary>Explains why a well-formed slug is refused; returns null if it is accepted. Null to accept all.</summary>
    public Func<string, string?>? Refuses { get; init; }

    /// <inheritdoc/>
    protected override string? CheckText(string text) =>
        Text.IsSlug(text, MaxLength) ? Refuses?.Invoke(text) : "Expected a lower-case letter, then lower-case letters, digits and underscores";
}

/// <summary>Holds the kind of resource that has custom fields: a built-in one, or a custom object by its slug.</summary>
public sealed class EntityTypeField(string name, params string[] choices) : TextField(name, CustomObject.MaxSlugLength)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { MaxLength = MaxLength, Pattern = "^[a-z][a-z0-9_]*$" };

    /// <summary>The built-in resources that have custom fields.</summary>
    public IReadOnlyList<string> Choices { get; } = choices;

    /// <summary>Whether an entity type is built in, i.e. not a custom object.</summary>
    public bool IsBuiltIn(string? entityType) => choices.Contains(entityType);

    /// <inheritdoc/>
    protected override string? CheckText(string text) =>
        IsBuiltIn(text) || (Text.IsSlug(text, MaxLength) && !CustomObject.IsReserved(text))
            ? null
            : $"Expected one of {string.Join(", ", choices)}, or the slug of a custom object";

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        CheckText(text) is { } problem ? errors.Add(parameter, problem) : text;
}

/// <summary>Defines a custom field, and checks its values.</summary>
/// <param name="Id">The id of the definition, <c>cf_…</c></param>
/// <param name="Slug">The name of the field in <c>custom_fields</c>.</param>
/// <param name="Name">The name that users see.</param>
/// <param name="FieldType">One of the types of docs/api/v1.md.</param>
/// <param name="IsRequired">Whether a new record must have a value.</param>
/// <param name="Options">The choices of a select or multi_select field; empty for other types.</param>
public sealed record FieldDefinition(string Id, string Slug, string Name, string FieldType, bool IsRequired, IReadOnlyList<string> Options)
{
    /// <summary>The type of fields whose values are ids of other records.</summary>
    public const string Relation = "relation";

    private const int MaxTextLength = 10_000;
    private const int MaxPhoneLength = 50;
    internal static readonly string[] RelationPrefixes = ["ct_", "co_", "dl_", "act_", "rec_"];
    internal static readonly SearchValues<char> PhoneCharacters = SearchValues.Create("0123456789 +-().,/#*x");

    /// <summary>Reads a definition from its stored record.</summary>
    public static FieldDefinition Load(StoredRecord stored)
    {
        var record = Record.Load(CustomField.Schema, stored);
        return new FieldDefinition(stored.Id, CustomField.Slug.Of(record)!, CustomField.Name.Of(record)!, CustomField.FieldType.Of(record)!,
            CustomField.IsRequired.Of(record), CustomField.Options.Of(record));
    }

    /// <summary>Explains what is wrong with a value that is not null; returns null if it is valid.</summary>
    public string? CheckValue(JsonElement value) => FieldType switch
    {
        "number" => value.ValueKind is JsonValueKind.Number ? null : "Expected a number",
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : "Expected true or false",
        "multi_select" => value.ValueKind is JsonValueKind.Array && value.EnumerateArray().All(IsOption) ? null : $"Expected an array of {OptionList}",
        "select" => IsOption(value) ? null : $"Expected one of {OptionList}",
        _ when value.ValueKind is not JsonValueKind.String => "Expected a string",
        "date" => Text.TryDate(value.GetString()!, out _) ? null : "Expected a date of the form YYYY-MM-DD",
        "email" => Text.IsEmail(value.GetString()!) ? null : "Invalid email",
        "url" => Text.IsWebAddress(value.GetString()!) ? null : "Expected an absolute http or https address",
        Relation => RelationPrefixes.Any(prefix => Ids.IsId(value.GetString()!, prefix))
            ? null
            : $"Expected the id of a record: one of {string.Join(' ', RelationPrefixes)} and {Ids.Length} letters or digits",
        "phone" => IsPhone(value.GetString()!) ? null : $"Expected digits, spaces and + - ( ) . / only, at most {MaxPhoneLength} characters",
        _ => value.GetString()!.Length <= MaxTextLength ? null : $"At most {MaxTextLength} characters",
    };

    private string OptionList => Options.Count <= 20 ? string.Join(", ", Options) : $"the field's {Options.Count} options";

    private static bool IsPhone(string text) =>
        text.Length is > 0 and <= MaxPhoneLength && text.AsSpan().ContainsAnyInRange('0', '9') && !text.AsSpan().ContainsAnyExcept(PhoneCharacters);

    private bool IsOption(JsonElement value) => value.ValueKind is JsonValueKind.String && Options.Contains(value.GetString()!);
}
