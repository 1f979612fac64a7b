using System.Globalization;
using System.Reflection;

namespace NodeStash.LocalHost.Tests.Compat;

/// <summary>
/// What an assembly shows to its users, in the notation of the carried lists: a line per type, and below it a line per member.
/// The notation leaves out nullability, <c>params</c>, <c>this</c>, <c>static</c> and <c>protected</c> on properties, constraints,
/// fields, operators, implemented interfaces and what every object or record has; <c>init</c> is written <c>set</c>, and <c>out</c> <c>ref</c>.
/// </summary>
internal static class Surface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly HashSet<string> leftOut = ["Equals", "GetHashCode", "ToString", "Deconstruct", "PrintMembers", "<Clone>$"];

    private static readonly HashSet<string> shortNamespaces = ["System", "System.Collections.Generic", "System.Threading", "System.Threading.Tasks"];

    private static readonly Dictionary<Type, string> keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(double)] = "double",
    };

    /// <summary>The public types of an assembly, each with the lines of its members.</summary>
    public static IEnumerable<(string Type, IReadOnlyList<string> Members)> Of(Assembly assembly) =>
        from type in assembly.GetExportedTypes()
        orderby type.FullName
        select (Line(type), Members(type).ToList() as IReadOnlyList<string>);

    private static string Line(Type type)
    {
        var bare = type.IsInterface || type.IsValueType || type.BaseType == typeof(object);
        return Kind(type) + " " + Name(type) + (bare ? "" : " : " + Name(type.BaseType!));
    }

    private static string Kind(Type type) => type switch
    {
        { IsInterface: true } => "interface",
        { IsEnum: true } => "enum",
        { IsValueType: true } => "struct",
        _ when type.BaseType == typeof(MulticastDelegate) => "delegate",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum) return [string.Join(", ", Enum.GetNames(type))];
        var constructors = type.GetConstructors(Declared).Where(c => !c.IsStatic && IsVisible(c)).Select(c => Protected(c) + "new" + Parameters(c));
        var properties = type.GetProperties(Declared).Where(p => p.GetAccessors(nonPublic: true).Any(IsVisible)).Select(Line);
        var methods = type.GetMethods(Declared).Where(m => IsVisible(m) && !m.IsSpecialName && !leftOut.Contains(m.Name)).Select(Line);
        return constructors.Concat(properties).Concat(methods);
    }

    private static string Line(PropertyInfo property)
    {
        var accessors = property.GetAccessors(nonPublic: true).Where(IsVisible).ToList();
        var get = accessors.Contains(property.GetMethod!) ? "get; " : "";
        var set = accessors.Contains(property.SetMethod!) ? "set; " : "";
        var modifier = property.DeclaringType!.IsInterface ? "" : accessors[0].IsAbstract ? "abstract " : accessors[0].IsVirtual ? "virtual " : "";
        return modifier + Name(property.PropertyType) + " " + property.Name + " { " + get + set + "}";
    }

    private static string Line(MethodInfo method)
    {
        var modifier = method switch
        {
            { DeclaringType.IsInterface: true } => "",
            { IsStatic: true } => "static ",
            { IsAbstract: true } => "abstract ",
            { IsVirtual: true, IsFinal: false } => "virtual ",
            _ => "",
        };
        var generic = method.IsGenericMethod ? Arguments(method.GetGenericArguments()) : "";
        return Protected(method) + modifier + Name(method.ReturnType) + " " + method.Name + generic + Parameters(method);
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Protected(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Parameters(MethodBase method) =>
        "(" + string.Join(", ", method.GetParameters().Select(p => Name(p.ParameterType) + " " + p.Name + Default(p))) + ")";

    private static string Default(ParameterInfo parameter) =>
        parameter.HasDefaultValue ? " = " + Convert.ToString(parameter.DefaultValue ?? "default", CultureInfo.InvariantCulture) : "";

    private static string Name(Type type)
    {
        if (keywords.TryGetValue(type, out var keyword)) return keyword;
        if (type.IsGenericParameter) return type.Name;
        if (type.IsByRef) return "ref " + Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value) + "?";
        if (type.IsNested) return Name(type.DeclaringType!) + "." + type.Name;
        var name = shortNamespaces.Contains(type.Namespace!) ? type.Name : type.Namespace + "." + type.Name;
        return type.IsGenericType ? name[..name.IndexOf('`', StringComparison.Ordinal)] + Arguments(type.GetGenericArguments()) : name;
    }

    private static string Arguments(IEnumerable<Type> types) => "<" + string.Join(", ", types.Select(Name)) + ">";
}
