using System.Linq.Expressions;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.DependencyInjection;

namespace NodeStash.LocalHost.Triggers;

/// <summary>Runs a method marked <c>[Function]</c>. Its call is compiled at the first run.</summary>
public sealed class Function
{
    private readonly Lazy<Func<IServiceProvider, object?[], Task<object?>>> call;
    private readonly Lazy<Func<object?, IServiceProvider, CancellationToken, object?[]>> arguments;

    internal Function(string name, MethodInfo method, TriggerBindingAttribute trigger, ParameterInfo triggerParameter)
    {
        Name = name;
        Method = method;
        Trigger = trigger;
        TriggerParameter = triggerParameter;
        Parameters = method.GetParameters();
        call = new(CompileCall);
        arguments = new(CompileArguments);
    }

    /// <summary>Name of the function, unique in the catalog, ignoring case.</summary>
    public string Name { get; }

    public MethodInfo Method { get; }

    public TriggerBindingAttribute Trigger { get; }

    /// <summary>Parameter with the attribute <see cref="Trigger"/>.</summary>
    public ParameterInfo TriggerParameter { get; }

    /// <summary>All parameters in order, including the trigger's.</summary>
    public IReadOnlyList<ParameterInfo> Parameters { get; }

    /// <summary>
    /// Calls the method on a new instance created from <paramref name="services"/>. Any exception, synchronous or not, is in the task.
    /// </summary>
    /// <param name="services">The scope of this invocation.</param>
    /// <param name="arguments">The arguments, one for each parameter, in order.</param>
    /// <returns>The result of the method, unwrapped from its Task or ValueTask; null for none.</returns>
    public async Task<object?> Invoke(IServiceProvider services, object?[] arguments) => await call.Value(services, arguments);

    /// <summary>Invokes a function whose parameters are its trigger, and at most a durable client and a cancellation token.</summary>
    public Task<object?> Run(IServiceProvider services, object? trigger, CancellationToken ct) => Invoke(services, arguments.Value(trigger, services, ct));

    /// <summary>Names the class and the method.</summary>
    public override string ToString() => Describe(Method);

    internal static string Describe(MethodInfo method) => method.DeclaringType!.Name + "." + method.Name;

    /// <summary>Builds the target of the call: a new instance from the services, or null for a static method.</summary>
    internal Expression? BuildTarget(Expression services)
    {
        if (Method.IsStatic) return null;
        var factory = ActivatorUtilities.CreateFactory(Method.DeclaringType!, []);
        return Expression.Convert(Expression.Invoke(Expression.Constant(factory), services, Expression.Constant(Array.Empty<object>())), Method.DeclaringType!);
    }

    /// <summary>Binds a parameter that any function may have besides its trigger; null for any other parameter.</summary>
    internal static Expression? BindCommon(ParameterInfo parameter, Expression services, Expression ct)
    {
        if (parameter.ParameterType == typeof(CancellationToken)) return ct;
        return parameter.IsDefined(typeof(DurableClientAttribute))
            ? Expression.Call(
                typeof(ServiceProviderServiceExtensions), nameof(ServiceProviderServiceExtensions.GetRequiredService), [parameter.ParameterType], services)
            : null;
    }

    private Func<IServiceProvider, object?[], Task<object?>> CompileCall()
    {
        var services = Expression.Parameter(typeof(IServiceProvider));
        var given = Expression.Parameter(typeof(object?[]));
        var typed = Parameters.Select((p, i) => Expression.Convert(Expression.ArrayIndex(given, Expression.Constant(i)), p.ParameterType));
        var answer = Answers.Of(Expression.Call(BuildTarget(services), Method, typed));
        return Expression.Lambda<Func<IServiceProvider, object?[], Task<object?>>>(answer, services, given).Compile();
    }

    private Func<object?, IServiceProvider, CancellationToken, object?[]> CompileArguments()
    {
        var trigger = Expression.Parameter(typeof(object));
        var services = Expression.Parameter(typeof(IServiceProvider));
        var ct = Expression.Parameter(typeof(CancellationToken));
        var values = Parameters.Select(p => p.Position == TriggerParameter.Position
            ? trigger
            : Expression.Convert(BindCommon(p, services, ct) ?? Expression.Default(p.ParameterType), typeof(object)) as Expression);
        return Expression.Lambda<Func<object?, IServiceProvider, CancellationToken, object?[]>>(
            Expression.NewArrayInit(typeof(object), values), trigger, services, ct).Compile();
    }

    /// <summary>Converts a call of any result type to Task&lt;object?&gt;.</summary>
    private static class Answers
    {
        public static Expression Of(Expression call)
        {
            var type = call.Type;
            if (type == typeof(void)) return Expression.Block(call, Expression.Constant(Task.FromResult<object?>(null)));
            if (type == typeof(Task) || type == typeof(ValueTask)) return Expression.Call(typeof(Answers), nameof(After), null, call);
            var isTask = type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>));
            return isTask
                ? Expression.Call(typeof(Answers), nameof(After), type.GetGenericArguments(), call)
                : Expression.Call(typeof(Task), nameof(Task.FromResult), [typeof(object)], Expression.Convert(call, typeof(object)));
        }

        private static async Task<object?> After(Task task)
        {
            await task;
            return null;
        }

        private static async Task<object?> After(ValueTask task)
        {
            await task;
            return null;
        }

        private static async Task<object?> After<T>(Task<T> task) => await task;

        private static async Task<object?> After<T>(ValueTask<T> task) => await task;
    }
}
