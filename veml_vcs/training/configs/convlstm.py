# ConvLSTM at full size: three layers of 64 units, at most 100 passes, stops early (Shi et al. 2015).
#
# Forecasts 12 steps of every sensor from the 12 before, without a graph: sensors are mixed with their
# neighbours in the order of the data. cell='gru' makes it a ConvGRU. Of a series with several features,
# say which one: target='PM2.5'. On a CPU: convlstm-small.

epochs = 100

model = dict(
    type='Forecaster',
    backbone=dict(type='ConvLSTM', cell='lstm', units=64, layers=3, width=3),
    loss=dict(type='MaskedL1Loss'))

train_dataloader = dict(
    batch_size=64,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='VemlWindows', past=12, ahead=12, stride=1, target=None))

optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=0.0001), clip_grad=dict(max_norm=5))
param_scheduler = [
    dict(type='ConstantLR', by_epoch=True, factor=1.0, begin=0, end=epochs),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=1)
custom_hooks = [
    dict(type='EarlyStoppingHook', monitor='MAE', rule='less', min_delta=0.0, patience=10),
]
default_scope = 'mmengine'
