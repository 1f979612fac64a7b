using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>Lists who may set a field, and whether answers show it.</summary>
public enum FieldAccess
{
    /// <summary>The client may set the field on create and update.</summary>
    ReadWrite,

    /// <summary>The client may set the field on create only.</summary>
    CreateOnly,

    /// <summary>The server sets the field. A request that contains it is refused.</summary>
    ReadOnly,

    /// <summary>The server sets the field, and no answer shows it. Example: a sealed secret.</summary>
    Internal,
}

/// <summary>Lists how the list filter of a field compares. The filter has the name of the field.</summary>
public enum FilterKind
{
    /// <summary>The field has no filter.</summary>
    None,

    /// <summary>The value must be equal.</summary>
    Exact,

    /// <summary>The value must contain the text, in any case.</summary>
    Substring,

    /// <summary>The record must have every text of a comma-separated list.</summary>
    HasAll,
}

/// <summary>
/// Defines one attribute of a resource: how to read it from JSON, write it, compare it, and find records by it. Validation, storage keys, filters
/// and documentation all use this definition.
/// </summary>
/// <param name="name">The name in JSON, in snake_case.</param>
public abstract class Field(string name)
{
    /// <summary>The name in JSON, in snake_case.</summary>
    public string Name { get; } = name;

    /// <summary>The name in the form that JSON writers take, escaped in advance.</summary>
    public JsonEncodedText EncodedName { get; } = JsonEncodedText.Encode(name);

    /// <summary>The index of the field's value in a <see cref="Record"/>. The schema sets it; before that it is -1.</summary>
    public int Ordinal { get; internal set; } = -1;

    /// <summary>The values that the field takes, for documentation.</summary>
    public abstract Facets Facets { get; }

    /// <summary>The purpose of the field, in one sentence for users of the API; empty if they never see the field.</summary>
    public string Description { get; init; } = "";

    /// <summary>An example value as JSON; null if the type says enough.</summary>
    public string? Example { get; init; }

    /// <summary>Who may set the field; by default the client.</summary>
    public FieldAccess Access { get; init; }

    /// <summary>Whether the field must be given on create and can't be cleared.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The value if none is given on create, or if the field is cleared on update; null for none.</summary>
    public object? Default { get; init; }

    /// <summary>How the list filter of the field compares; by default there is no filter.</summary>
    public FilterKind Filter { get; init; }

    /// <summary>Whether lists can be sorted by the field.</summary>
    public bool IsSortable { get; init; }

    /// <summary>How the search uses the field; by default not at all.</summary>
    public Searchable Search { get; init; }

    /// <summary>Whether the store keeps an index on the field.</summary>
    public bool IsIndexed => IsSortable || this is LinkField;

    /// <summary>Whether the store keeps a key of the field, so that queries can use it.</summary>
    public virtual bool HasKey => IsSortable || Filter is not FilterKind.None || this is LinkField;

    /// <summary>Reads a value from a client's JSON.</summary>
    /// <param name="json">The value; not JSON null.</param>
    /// <param name="path">The name of the field in errors, e.g. <c>stages[0].name</c>.</param>
    /// <param name="errors">Takes the errors of an invalid value.</param>
    /// <returns>The value; null if it is invalid.</returns>
    public abstract object? Read(JsonElement json, string path, ValidationErrors errors);

    /// <summary>Writes a value, not null, in the form that the API answers.</summary>
    public abstract void Write(Utf8JsonWriter writer, object value);

    /// <summary>Reads a stored value, which <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The stored value is invalid.</exception>
    public virtual object? Load(JsonElement json)
    {
        var errors = new ValidationErrors();
        var value = Read(json, Name, errors);
        return errors.Any ? throw new InvalidDataException($"Stored {Name}: {errors.All[0].Message}") : value;
    }

    /// <summary>Writes a value, not null, as the storage key that queries filter and sort by.</summary>
    public virtual void WriteKey(Utf8JsonWriter writer, object value) => Write(writer, value);

    /// <summary>Reads the text of a query parameter as a storage key.</summary>
    /// <param name="text">The text to read.</param>
    /// <param name="parameter">The name of the parameter, for errors.</param>
    /// <param name="errors">Takes the error of a text that does not fit the field.</param>
    /// <returns>A string, bool, long or double; null if the text does not fit.</returns>
    public abstract object? ReadKey(string text, string parameter, ValidationErrors errors);

    /// <summary>The value that answers show if a record has none; null for JSON null.</summary>
    public virtual object? EmptyValue => null;

    /// <summary>Tells whether two values look the same to a client. Both may be null.</summary>
    public virtual bool Same(object? left, object? right) => Equals(left, right);
}
