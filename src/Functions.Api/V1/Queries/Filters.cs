using System.Globalization;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.V1.Queries;

/// <summary>
/// Reads one filter of a query string: a named one (<c>email=…</c>), or one with an operator (<c>created_at[gte]=…</c>,
/// <c>custom_fields[score][gt]=…</c>).
/// </summary>
internal static class Filters
{
    private const int MaxValues = 100;
    private const string Operators = "eq, neq, gt, gte, lt, lte, in, contains, starts_with, exists";
    private static readonly string TooManyValues = $"At most {MaxValues} values";

    /// <summary>Reads a filter by its name and value.</summary>
    /// <returns>The condition; null for an unknown filter, and null with a validation error added for an invalid value.</returns>
    public static Condition? Read(Schema schema, string name, string text, ValidationErrors errors)
    {
        if (schema.ExtraFilters.FirstOrDefault(f => f.Name == name) is { } extra) return ReadExtra(extra, text, errors);
        if (schema.Find(name) is { Filter: not FilterKind.None } field) return ReadNamed(field, text, name, errors);
        if (LinkOf(schema, name) is { } link) return ReadLinked(link, text, name, errors);

        var open = name.LastIndexOf('[');
        if (open > 0 && name[^1] == ']')
        {
            var (target, op) = (name[..open], name[(open + 1)..^1]);
            if (schema.Find(target) is { HasKey: true, Access: not FieldAccess.Internal } typed && typed is not MapField)
                return ReadOperator(
                    new KeyPath(target), op, text, name, errors, value => typed.ReadKey(value, name, errors) is { } key ? [key] : null, typed is TextListField);
            if (CustomFieldPath(schema, target) is { } inner) return ReadOperator(inner, op, text, name, errors, PossibleValues, isList: false);
            if (CustomFieldPath(schema, name) is { } path) return ReadOperator(path, "eq", text, name, errors, PossibleValues, isList: false);
        }

        return null;
    }

    /// <summary>Finds the link that a filter follows, e.g. <c>company_id</c> for <c>company.industry</c>; null where it follows none.</summary>
    public static LinkField? LinkOf(Schema schema, string name) =>
        name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? schema.Links.FirstOrDefault(l => l.IsChecked && l.Name == name[..dot] + "_id") : null;

    /// <summary>Reads the path of <c>custom_fields[slug]</c>; null for any other text, or where the resource has no custom fields.</summary>
    public static KeyPath? CustomFieldPath(Schema schema, string name)
    {
        if (schema.CustomFields is not { } field || !name.StartsWith(field.Name, StringComparison.Ordinal) || name.Length < field.Name.Length + 3) return null;
        var slug = name[(field.Name.Length + 1)..^1];
        return name[field.Name.Length] == '[' && name[^1] == ']' && Text.IsSlug(slug, 100) ? new KeyPath(field.Name, slug) : null;
    }

    /// <summary>Reads a filter on the linked record: <c>company.industry=…</c> for the link <c>company_id</c>.</summary>
    private static Condition.Linked? ReadLinked(LinkField link, string text, string name, ValidationErrors errors)
    {
        var (inner, inside) = (new ValidationErrors(), name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]);
        var where = inside.Contains('.', StringComparison.Ordinal) ? null : Read(Crm.Catalog.Find(link.TargetType), inside, text, inner);
        foreach (var problem in inner.All) errors.Add(name, problem.Message);
        return where is null ? null : new Condition.Linked(new KeyPath(link.Name), link.TargetType, where);
    }

    private static Condition.Compare? ReadExtra(NamedFilter filter, string text, ValidationErrors errors) =>
        filter.Field.ReadKey(text, filter.Name, errors) is { } key ? new Condition.Compare(new KeyPath(filter.Field.Name), filter.Comparison, key) : null;

    private static Condition? ReadNamed(Field field, string text, string name, ValidationErrors errors)
    {
        var path = new KeyPath(field.Name);
        if (field.Filter is FilterKind.HasAll)
        {
            var members = Split(text);
            return members.Length > MaxValues
                ? (Condition?)errors.Add(name, TooManyValues)
                : new Condition.All([.. members.Select(member => new Condition.Has(path, member))]);
        }

        if (field.ReadKey(text, name, errors) is not { } key) return null;
        return field.Filter is FilterKind.Substring ? new Condition.Contains(path, (string)key) : new Condition.Equal(path, key);
    }

    /// <summary>Reads a filter with an operator.</summary>
    /// <param name="path">The value that is compared.</param>
    /// <param name="op">The operator.</param>
    /// <param name="text">The operand as text.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <param name="errors">Receives validation errors.</param>
    /// <param name="read">Reads the typed values that a text may stand for; null where it is invalid. Comparison never crosses types, so all are tried.</param>
    /// <param name="isList">Whether the field holds a list, whose members are compared.</param>
    private static Condition? ReadOperator(
        KeyPath path, string op, string text, string name, ValidationErrors errors, Func<string, IReadOnlyList<object>?> read, bool isList)
    {
        Condition? Each(string value, Func<object, Condition> make) => read(value) is { } keys ? Any([.. keys.Select(make)]) : null;
        Condition Is(object key) =>
            key is string member
                ? Any(isList ? [new Condition.Has(path, member)] : [new Condition.Equal(path, key), new Condition.Has(path, member)])
                : new Condition.Equal(path, key);

        if (isList && op is "gt" or "gte" or "lt" or "lte" or "contains" or "starts_with")
            return (Condition?)errors.Add(name, "A list takes eq, neq, in and exists only");
        switch (op)
        {
            case "eq":
                return Each(text, Is);
            case "neq":
                return Each(text, Is) is { } equal ? new Condition.Not(equal) : null;
            case "in":
                var values = Split(text);
                if (values.Length > MaxValues) return (Condition?)errors.Add(name, TooManyValues);
                var conditions = values.Select(value => Each(value, Is)).ToList();
                return conditions.Contains(null) ? null : Any([.. conditions.OfType<Condition>()]);
            case "gt":
                return Each(text, key => Compare(path, Comparison.Greater, key));
            case "gte":
                return Each(text, key => Compare(path, Comparison.GreaterOrEqual, key));
            case "lt":
                return Each(text, key => Compare(path, Comparison.Less, key));
            case "lte":
                return Each(text, key => Compare(path, Comparison.LessOrEqual, key));
            case "contains" or "starts_with":
                if (read(text) is not { } texts) return null;
                if (texts.OfType<string>().FirstOrDefault() is not { } part) return (Condition?)errors.Add(name, "contains and starts_with compare texts only");
                return op is "contains" ? new Condition.Contains(path, part) : new Condition.StartsWith(path, part);
            case "exists" when text is "true" or "false":
                var absent = new Condition.Equal(path, null);
                return text is "true" ? new Condition.Not(absent) : absent;
            case "exists":
                return (Condition?)errors.Add(name, "Expected true or false");
            default:
                return (Condition?)errors.Add(name, $"Unknown operator '{op}'; expected one of {Operators}");
        }
    }

    /// <summary>Lists the values that a text may stand for, because a free-form custom field may hold any type.</summary>
    private static List<object> PossibleValues(string text)
    {
        var readings = new List<object> { Text.Fold(text) };

        // Beyond 2^53 a double is not exact, so whole numbers are read as such.
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) readings.Add(whole);
        else if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)) readings.Add(number);
        if (text is "true" or "false") readings.Add(text is "true");
        return readings;
    }

    /// <summary>Compares with a value. Booleans have no order, so such a comparison matches nothing.</summary>
    private static Condition Compare(KeyPath path, Comparison how, object key) => key is bool ? new Condition.Any([]) : new Condition.Compare(path, how, key);

    private static Condition Any(IReadOnlyList<Condition> conditions) => conditions.Count == 1 ? conditions[0] : new Condition.Any(conditions);

    private static string[] Split(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
