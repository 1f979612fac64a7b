using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using NodeStash.Functions.Api;
using NodeStash.Functions.Webhooks;
using NodeStash.LocalHost.Triggers;
using NodeStash.Worker.Tests.Host;

namespace NodeStash.Worker.Tests;

/// <summary>The Functions host knows functions by what the apps are published with, the local host by reflection: both have to find the same.</summary>
public sealed class FunctionListTests
{
    private static readonly HashSet<string> NotOfTheAttribute = ["name", "type", "direction", "dataType", "properties"];

    public static TheoryData<PublishedApp> Apps => [PublishedApp.Api, PublishedApp.Webhooks];

    [Theory]
    [MemberData(nameof(Apps))]
    public void An_app_is_published_with_the_functions_that_the_local_host_finds(PublishedApp app) => Assert.Equal(Found(app), Published(app));

    [Theory]
    [MemberData(nameof(Apps))]
    public async Task A_worker_tells_its_host_of_the_functions_that_the_local_host_finds(PublishedApp app)
    {
        await using var database = await Database.Start();
        await using var host = await FunctionsHost.Start();
        await using var worker = await host.StartWorker(app, database.Settings);

        Assert.Equal(Found(app), Told(await worker.Load()));
    }

    /// <summary>The Functions host gives a request to the first function by name whose route and methods match.</summary>
    [Fact]
    public void No_published_function_is_hidden_by_one_whose_name_comes_before()
    {
        var routes = from function in Metadata(PublishedApp.Api)
                     let trigger = TriggerOf(function.GetProperty("bindings").EnumerateArray())
                     where TextOf(trigger, "type") == "httpTrigger"
                     let methods = trigger.TryGetProperty("methods", out var some) ? some.EnumerateArray().Select(method => method.GetString()!) : []
                     select new HttpRoute(TextOf(function, "name"), [.. methods], trigger.TryGetProperty("route", out var route) ? route.GetString()! : "");

        Assert.Empty(RouteOrder.FindConflicts([.. routes]));
    }

    private static List<string> Found(PublishedApp app) => Sorted(
        from function in FunctionCatalog.Of((app == PublishedApp.Api ? typeof(ApiServices) : typeof(WebhookServices)).Assembly).Functions
        let retry = function.Method.GetCustomAttribute<RetryAttribute>()
        let trigger = function.TriggerParameter.CustomAttributes.Single(attribute => attribute.AttributeType.IsSubclassOf(typeof(TriggerBindingAttribute)))
        select Line(function.Name, TypeOf(trigger), Members(trigger), Retry(retry)));

    private static List<string> Published(PublishedApp app) => Sorted(
        from function in Metadata(app)
        let trigger = TriggerOf(function.GetProperty("bindings").EnumerateArray())
        let retry = function.TryGetProperty("retry", out var options) ? Retry(options) : ""
        select Line(TextOf(function, "name"), TextOf(trigger, "type"), Members(trigger), retry));

    private static List<string> Told(IEnumerable<FunctionMetadata> functions) => Sorted(
        from function in functions
        let trigger = TriggerOf(function.RawBindings.Select(json => JsonElement.Parse(json)))
        select Line(function.Name, TextOf(trigger, "type"), Members(trigger), Retry(function.Retry)));

    private static List<string> Sorted(IEnumerable<string> lines) => [.. lines.Order(StringComparer.Ordinal)];

    private static string Line(string name, string trigger, IEnumerable<string> members, string retry) =>
        $"{name} [{trigger} {string.Join(", ", members.Order(StringComparer.Ordinal))}] {retry}".TrimEnd();

    private static JsonElement.ArrayEnumerator Metadata(PublishedApp app) =>
        JsonElement.Parse(File.ReadAllBytes(Path.Combine(app.Folder, "functions.metadata"))).EnumerateArray();

    private static JsonElement TriggerOf(IEnumerable<JsonElement> bindings) =>
        bindings.Single(binding => TextOf(binding, "type").EndsWith("Trigger", StringComparison.Ordinal));

    private static string TextOf(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static string TypeOf(CustomAttributeData trigger) => CamelCase(trigger.AttributeType.Name[..^"Attribute".Length]);

    /// <summary>What the source says in brackets, as <c>name=value</c>; what it leaves out is the host's to decide.</summary>
    private static IEnumerable<string> Members(CustomAttributeData trigger) =>
        from member in trigger.Constructor.GetParameters().Zip(trigger.ConstructorArguments, (parameter, value) => (Name: parameter.Name!, Value: value))
            .Concat(trigger.NamedArguments.Select(named => (Name: named.MemberName, Value: named.TypedValue)))
        let text = TextOf(member.Value)
        where text.Length > 0
        select $"{CamelCase(member.Name)}={text}";

    private static string TextOf(CustomAttributeTypedArgument argument) => argument.Value switch
    {
        IEnumerable<CustomAttributeTypedArgument> all => string.Join('|', all.Select(TextOf)),
        { } value when argument.ArgumentType.IsEnum => Enum.ToObject(argument.ArgumentType, value).ToString()!,
        var value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static IEnumerable<string> Members(JsonElement trigger) =>
        from member in trigger.EnumerateObject()
        where !NotOfTheAttribute.Contains(member.Name)
        select $"{member.Name}={(member.Value.ValueKind is JsonValueKind.Array ? string.Join('|', member.Value.EnumerateArray()) : member.Value.ToString())}";

    private static string Retry(RetryAttribute? retry) => retry switch
    {
        null => "",
        ExponentialBackoffRetryAttribute r => $"exponentialBackoff {r.MaxRetryCount} {r.MinimumInterval} {r.MaximumInterval}",
        FixedDelayRetryAttribute r => $"fixedDelay {r.MaxRetryCount} {r.DelayInterval}",
        _ => throw new NotSupportedException(retry.GetType().Name),
    };

    private static string Retry(JsonElement retry)
    {
        var (strategy, count) = (TextOf(retry, "strategy"), retry.GetProperty("maxRetryCount").GetInt32());
        return strategy == "fixedDelay"
            ? $"{strategy} {count} {TextOf(retry, "delayInterval")}"
            : $"{strategy} {count} {TextOf(retry, "minimumInterval")} {TextOf(retry, "maximumInterval")}";
    }

    private static string Retry(RetryOptions? retry) => retry switch
    {
        null => "",
        { IsFixed: true } => $"fixedDelay {retry.MaxCount} {retry.Delay.ToTimeSpan()}",
        _ => $"exponentialBackoff {retry.MaxCount} {retry.Minimum.ToTimeSpan()} {retry.Maximum.ToTimeSpan()}",
    };

    private static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
