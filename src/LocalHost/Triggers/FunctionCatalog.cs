using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// Finds the functions of assemblies by their attributes, as the Functions host does. Refuses functions that can't run when the host starts.
/// </summary>
public sealed partial class FunctionCatalog
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private FunctionCatalog(IReadOnlyList<Function> functions) => Functions = functions;

    public IReadOnlyList<Function> Functions { get; }

    /// <summary>Finds the functions of assemblies.</summary>
    /// <exception cref="InvalidFunctionsException">Some functions can't run; the message gives the reason for each.</exception>
    public static FunctionCatalog Of(params IEnumerable<Assembly> assemblies) => Of(assemblies.SelectMany(assembly => assembly.GetTypes()));

    /// <summary>Finds the functions of classes.</summary>
    /// <exception cref="InvalidFunctionsException">Some functions can't run; the message gives the reason for each.</exception>
    public static FunctionCatalog Of(params IEnumerable<Type> classes)
    {
        var functions = new Dictionary<string, Function>(StringComparer.OrdinalIgnoreCase);
        var errors = new List<string>();
        foreach (var method in classes.SelectMany(type => type.GetMethods(Declared)))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is not { } attribute) continue;
            var problem = Find(attribute.Name, method, out var function);
            if (function is not null && !functions.TryAdd(function.Name, function))
                problem = $"has the name \"{function.Name}\", as {functions[function.Name]} has";
            if (problem is not null) errors.Add($"{Function.Describe(method)} {problem}");
        }

        return errors.Count == 0 ? new FunctionCatalog([.. functions.Values]) : throw new InvalidFunctionsException(errors);
    }

    /// <summary>Lists the functions with a trigger of this type.</summary>
    public IEnumerable<(Function Function, TTrigger Trigger)> TriggeredBy<TTrigger>()
        where TTrigger : TriggerBindingAttribute
    {
        foreach (var function in Functions)
        {
            if (function.Trigger is TTrigger trigger) yield return (function, trigger);
        }
    }

    private static string? Find(string name, MethodInfo method, out Function? function)
    {
        function = null;
        if (!ValidName().IsMatch(name)) return $"has a name that the Functions host refuses: {name}";
        if (!method.IsPublic || !method.DeclaringType!.IsVisible) return "is not public";
        if (method.ContainsGenericParameters) return "is generic";
        if (!method.IsStatic && !CanBeConstructed(method.DeclaringType)) return "is in a class without a public constructor";
        var triggers = method.GetParameters().SelectMany(p => p.GetCustomAttributes<TriggerBindingAttribute>(), (p, trigger) => (p, trigger)).ToList();
        if (triggers is not [var (parameter, only)]) return triggers.Count == 0 ? "has no trigger" : "has more than one trigger";
        if (Bindings.Check(method, only) is { } problem) return problem;
        function = new Function(name, method, only, parameter);
        return null;
    }

    /// <summary>Source: azure-functions-host, Utility.FunctionNameValidationRegex.</summary>
    [GeneratedRegex(@"^[a-z][a-z0-9_\-]{0,127}$(?<!^host$)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex ValidName();

    private static bool CanBeConstructed(Type type) => !type.IsAbstract && type.GetConstructors().Length > 0;
}

/// <summary>Some functions can't run here, so nothing was started.</summary>
public sealed class InvalidFunctionsException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    /// <summary>One message for each function: the class and method, then the reason.</summary>
    public IReadOnlyList<string> Errors { get; } = errors;
}
