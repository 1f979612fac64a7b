using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>Who sets a field.</summary>
public enum FieldAccess
{
    /// <summary>The client, on create and update.</summary>
    ReadWrite,

    /// <summary>The client, on create only.</summary>
    CreateOnly,

    /// <summary>The server; a client that sends it is told so.</summary>
    ReadOnly,

    /// <summary>The server, and it is never answered (a sealed secret, say).</summary>
    Internal,
}

/// <summary>How a list filter named like the field compares.</summary>
public enum FilterKind
{
    None,
    Exact,

    /// <summary>Case-insensitive substring.</summary>
    Substring,

    /// <summary>A comma list, of which the record must have all.</summary>
    HasAll,
}

/// <summary>
/// One attribute of a resource: how it is read from a client's JSON, written, compared, and what it is found by. Everything that needs to
/// know attributes (validation, storage keys, filters, documentation) reads it off here.
/// </summary>
public abstract class Field(string name)
{
    /// <summary>As in JSON, snake_case.</summary>
    public string Name { get; } = name;

    /// <summary>The name as JSON text, escaped once.</summary>
    public JsonEncodedText EncodedName { get; } = JsonEncodedText.Encode(name);

    /// <summary>The place of its value in a <see cref="Record"/>; set by the schema that holds it.</summary>
    public int Ordinal { get; internal set; } = -1;

    /// <summary>Which values it takes.</summary>
    public abstract Facets Facets { get; }

    /// <summary>What it is for, in one sentence for users of the API; empty for what they never see.</summary>
    public string Description { get; init; } = "";

    /// <summary>A value that it takes, as JSON; null where the type alone shows it.</summary>
    public string? Example { get; init; }

    public FieldAccess Access { get; init; }

    /// <summary>Must be given on create and cannot be cleared.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The value on create where none is given, and on update where it is cleared; null for none.</summary>
    public object? Default { get; init; }

    public FilterKind Filter { get; init; }

    public bool IsSortable { get; init; }

    /// <summary>How records are searched by it.</summary>
    public Searchable Search { get; init; }

    /// <summary>Whether the store keeps an index to find records by it.</summary>
    public bool IsIndexed => IsSortable || this is LinkField;

    /// <summary>Whether the store keeps a key of it at all.</summary>
    public virtual bool HasKey => IsSortable || Filter is not FilterKind.None || this is LinkField;

    /// <summary>Reads a value that is not JSON null; null with a fault added where it is wrong.</summary>
    public abstract object? Read(JsonElement json, string path, ValidationErrors errors);

    /// <summary>Writes a value that is not null, as the API answers it.</summary>
    public abstract void Write(Utf8JsonWriter writer, object value);

    /// <summary>Reads back what <see cref="Write"/> wrote.</summary>
    public virtual object? Load(JsonElement json)
    {
        var errors = new ValidationErrors();
        var value = Read(json, Name, errors);
        return errors.Any ? throw new InvalidDataException($"Stored {Name}: {errors.All[0].Message}") : value;
    }

    /// <summary>Writes the value, not null, as it is found and sorted by.</summary>
    public virtual void WriteKey(Utf8JsonWriter writer, object value) => Write(writer, value);

    /// <summary>
    /// Reads a query parameter's text into a key: string, bool, long or double. Null, with a fault added, where it is not of the field's type.
    /// </summary>
    public abstract object? ReadKey(string text, string parameter, ValidationErrors errors);

    /// <summary>What is answered where there is no value; null for JSON null.</summary>
    public virtual object? EmptyValue => null;

    /// <summary>Whether two values, either of them null, are the same to a client.</summary>
    public virtual bool Same(object? left, object? right) => Equals(left, right);
}
